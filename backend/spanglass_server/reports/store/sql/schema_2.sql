ALTER TABLE reports ADD COLUMN schedule TEXT NOT NULL DEFAULT ''; -- the schedule that asked for it
ALTER TABLE reports ADD COLUMN told INTEGER NOT NULL DEFAULT 0; -- whether the schedule's channels were told
CREATE TABLE schedules (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    service TEXT NOT NULL,
    last TEXT NOT NULL,
    cron TEXT NOT NULL,
    zone TEXT NOT NULL,
    channels TEXT NOT NULL, -- JSON
    format TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    actor TEXT NOT NULL,
    created_ns INTEGER NOT NULL,
    next_ns INTEGER NOT NULL -- 0: never
) WITHOUT ROWID;
