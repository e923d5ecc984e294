-- one row: up to which entry of the alert store decisions are made
CREATE TABLE facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO facts VALUES ('cursor', 0);
-- what is remembered of groups and of escalations that run: JSON of those who decide
CREATE TABLE groups (key TEXT PRIMARY KEY, row TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE escalations (key TEXT PRIMARY KEY, row TEXT NOT NULL) WITHOUT ROWID;
-- the outbox, and the log of what left it; `body` is the notification (codec.py)
CREATE TABLE deliveries (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE, channel TEXT NOT NULL, reason TEXT NOT NULL, thread TEXT NOT NULL,
    created_ns INTEGER NOT NULL, not_before_ns INTEGER NOT NULL,
    state TEXT NOT NULL, attempts INTEGER NOT NULL, next_ns INTEGER NOT NULL, done_ns INTEGER NOT NULL,
    error TEXT NOT NULL, reference TEXT NOT NULL, begun_ns INTEGER NOT NULL,
    digest TEXT NOT NULL, -- the notification that tells of one above the limit of its channel
    untold INTEGER NOT NULL, -- 1: it is done, and the history of its alerts does not say so yet
    words TEXT NOT NULL, -- texts in lower case, for filters
    body BLOB NOT NULL -- the last one, as SQLite reads all of it on the way to what is behind it
);
CREATE INDEX due_deliveries ON deliveries (next_ns, number, channel) WHERE state = 'waiting';
CREATE INDEX waiting_threads ON deliveries (thread, channel, number) WHERE state = 'waiting';
CREATE INDEX references_of_threads ON deliveries (thread, channel, number) WHERE reference <> '';
CREATE INDEX sent_deliveries ON deliveries (channel, done_ns, reason) WHERE state = 'sent';
CREATE INDEX digested_deliveries ON deliveries (digest, number) WHERE digest <> '';
CREATE INDEX untold_deliveries ON deliveries (number) WHERE untold;
CREATE INDEX done_deliveries ON deliveries (done_ns) WHERE state <> 'waiting';
CREATE INDEX counted_deliveries ON deliveries (channel, state, created_ns);
CREATE TABLE alerts_of_deliveries (
    alert TEXT NOT NULL, delivery INTEGER NOT NULL REFERENCES deliveries ON DELETE CASCADE,
    PRIMARY KEY (alert, delivery)
) WITHOUT ROWID;
CREATE INDEX deliveries_of_alerts ON alerts_of_deliveries (delivery);
CREATE TABLE attempts (
    delivery INTEGER NOT NULL REFERENCES deliveries ON DELETE CASCADE, number INTEGER NOT NULL,
    started_ns INTEGER NOT NULL, latency_ns INTEGER NOT NULL, sent INTEGER NOT NULL, retryable INTEGER NOT NULL,
    answer TEXT NOT NULL, error TEXT NOT NULL, reference TEXT NOT NULL, retry_after_s REAL NOT NULL,
    PRIMARY KEY (delivery, number)
) WITHOUT ROWID;
-- how the last attempt of each channel went
CREATE TABLE channels (channel TEXT PRIMARY KEY, time_ns INTEGER NOT NULL, error TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE silences (
    id TEXT PRIMARY KEY, matchers TEXT NOT NULL, starts_ns INTEGER NOT NULL, ends_ns INTEGER NOT NULL,
    created_by TEXT NOT NULL, comment TEXT NOT NULL, updated_ns INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE links (nonce TEXT PRIMARY KEY, used_ns INTEGER NOT NULL) WITHOUT ROWID;
