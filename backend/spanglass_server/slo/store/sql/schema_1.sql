-- Counts of each hour (since 1970), by the key of what is counted: 60 totals and 60 bad ones, packed.
CREATE TABLE hours (
  key TEXT NOT NULL,
  hour INTEGER NOT NULL,
  total REAL NOT NULL,
  bad REAL NOT NULL,
  minutes BLOB NOT NULL,
  PRIMARY KEY (key, hour)
) WITHOUT ROWID;
-- What was counted of each key: the minutes from "first" to before "last".
CREATE TABLE counted (
  key TEXT PRIMARY KEY,
  first INTEGER NOT NULL,
  last INTEGER NOT NULL,
  used_ns INTEGER NOT NULL
);
-- What people changed of objectives: YAML before and after, "" for none.
CREATE TABLE changes (
  number INTEGER PRIMARY KEY,
  time_ns INTEGER NOT NULL,
  uid TEXT NOT NULL,
  who TEXT NOT NULL,
  kind TEXT NOT NULL,
  before TEXT NOT NULL,
  after TEXT NOT NULL
);
CREATE INDEX changes_of ON changes (uid, number);
