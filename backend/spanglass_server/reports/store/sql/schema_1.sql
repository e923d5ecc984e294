CREATE TABLE reports (
    number INTEGER PRIMARY KEY AUTOINCREMENT, -- the order in which they were asked for
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    service TEXT NOT NULL,
    start_ns INTEGER NOT NULL,
    end_ns INTEGER NOT NULL,
    state TEXT NOT NULL,
    created_ns INTEGER NOT NULL,
    done_ns INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    actor TEXT NOT NULL,
    error TEXT NOT NULL DEFAULT '',
    content BLOB, -- zstd of JSON
    bytes INTEGER NOT NULL DEFAULT 0
);
