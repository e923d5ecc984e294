CREATE TABLE pins (
    trace_id BLOB PRIMARY KEY,
    note TEXT NOT NULL,
    actor TEXT NOT NULL,
    pinned_ns INTEGER NOT NULL,
    service TEXT NOT NULL,
    name TEXT NOT NULL,
    start_ns INTEGER NOT NULL,
    duration_ns INTEGER NOT NULL,
    spans INTEGER NOT NULL,
    errors INTEGER NOT NULL,
    bytes INTEGER NOT NULL
) WITHOUT ROWID;
