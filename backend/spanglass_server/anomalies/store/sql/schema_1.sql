-- Anomalies that were told of, and what people say is fine; times in nanoseconds since 1970, no end while one goes on.
CREATE TABLE anomalies (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL, labels TEXT NOT NULL, title TEXT NOT NULL, unit TEXT NOT NULL,
    side INTEGER NOT NULL, is_new INTEGER NOT NULL,
    start_ns INTEGER NOT NULL, end_ns INTEGER, seen_ns INTEGER NOT NULL,
    peak_ns INTEGER NOT NULL, value REAL NOT NULL, expected REAL NOT NULL, low REAL NOT NULL, high REAL NOT NULL,
    surprise REAL NOT NULL, impact REAL NOT NULL, affected REAL NOT NULL, course TEXT NOT NULL
);
CREATE UNIQUE INDEX going_on ON anomalies (kind, labels) WHERE end_ns IS NULL;
CREATE INDEX by_time ON anomalies (seen_ns);
-- What somebody said is fine stays after it was undone: it says who said what.
CREATE TABLE fine (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL, labels TEXT NOT NULL, title TEXT NOT NULL, reason TEXT NOT NULL, actor TEXT NOT NULL,
    made_ns INTEGER NOT NULL, until_ns INTEGER, undone_ns INTEGER, undone_by TEXT NOT NULL DEFAULT ''
);
