-- what people decided, the newest in force
CREATE TABLE versions (
    number INTEGER PRIMARY KEY, time_ns INTEGER NOT NULL, actor TEXT NOT NULL, note TEXT NOT NULL, text TEXT NOT NULL
);
-- what was seen of segments by policies; found again where it is lost
CREATE TABLE looks (
    segment INTEGER PRIMARY KEY, digest TEXT NOT NULL, next_ns INTEGER NOT NULL, others INTEGER NOT NULL,
    kept INTEGER NOT NULL, held BLOB NOT NULL
);
-- bounds of slow traces: the same for all spans of a day, whenever they are judged
CREATE TABLE bound_days (day INTEGER PRIMARY KEY);
CREATE TABLE bounds (
    day INTEGER NOT NULL, service TEXT NOT NULL, name TEXT NOT NULL, bound_ns INTEGER NOT NULL,
    PRIMARY KEY (day, service, name)
) WITHOUT ROWID;
