-- how each subject stands, and until when that was seen: what lies between then and a start is not known
CREATE TABLE subjects (
    subject TEXT PRIMARY KEY, status TEXT NOT NULL, since_ns INTEGER NOT NULL, seen_ns INTEGER NOT NULL,
    detail TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE changes (
    number INTEGER PRIMARY KEY AUTOINCREMENT, subject TEXT NOT NULL, time_ns INTEGER NOT NULL,
    status TEXT NOT NULL, previous TEXT NOT NULL, detail TEXT NOT NULL
);
CREATE INDEX changes_of_subjects ON changes (subject, time_ns, number);
CREATE INDEX changes_by_time ON changes (time_ns);
CREATE TABLE calls (
    number INTEGER PRIMARY KEY AUTOINCREMENT, uid TEXT NOT NULL, time_ns INTEGER NOT NULL, kind TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX calls_of_heartbeats ON calls (uid, number);
