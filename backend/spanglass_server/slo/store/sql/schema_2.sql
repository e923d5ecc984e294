-- The minute since 1970 in which spans that came late were looked for last: one row.
CREATE TABLE late_looked (one INTEGER PRIMARY KEY CHECK (one = 1), minute INTEGER NOT NULL) STRICT;
