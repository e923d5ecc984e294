
-- traces that went from a segment by a policy, while other segments may have more of them
CREATE TABLE taken (
    number INTEGER PRIMARY KEY, policy TEXT NOT NULL, first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL,
    traces BLOB NOT NULL
);
