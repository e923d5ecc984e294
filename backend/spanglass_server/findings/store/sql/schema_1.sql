-- What is known of findings; times in nanoseconds since 1970, hours and minutes as whole numbers since then.
CREATE TABLE findings (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL, service TEXT NOT NULL, operation TEXT NOT NULL, subject TEXT NOT NULL,
    detail TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL, actor TEXT NOT NULL, changed_ns INTEGER NOT NULL,
    first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL, evidence TEXT NOT NULL,
    UNIQUE (kind, service, operation, subject)
);
CREATE TABLE sightings (
    finding INTEGER NOT NULL REFERENCES findings (id) ON DELETE CASCADE, hour INTEGER NOT NULL,
    requests REAL NOT NULL, hits REAL NOT NULL, calls REAL NOT NULL, waste_ns REAL NOT NULL,
    PRIMARY KEY (finding, hour)
) WITHOUT ROWID;
-- Minutes whose spans were looked at.
CREATE TABLE minutes (minute INTEGER PRIMARY KEY);
-- Durations of an operation's requests in an hour, by bucket, and how many requests that stands for.
CREATE TABLE durations (
    service TEXT NOT NULL, operation TEXT NOT NULL, release TEXT NOT NULL, hour INTEGER NOT NULL,
    requests REAL NOT NULL, total_ns REAL NOT NULL, buckets TEXT NOT NULL,
    PRIMARY KEY (service, operation, hour, release)
) WITHOUT ROWID;
CREATE TABLE sizes (
    service TEXT NOT NULL, operation TEXT NOT NULL, key TEXT NOT NULL, hour INTEGER NOT NULL,
    n INTEGER NOT NULL, low REAL NOT NULL, high REAL NOT NULL,
    x REAL NOT NULL, y REAL NOT NULL, xx REAL NOT NULL, yy REAL NOT NULL, xy REAL NOT NULL, total_ns REAL NOT NULL,
    PRIMARY KEY (service, operation, hour, key)
) WITHOUT ROWID;
