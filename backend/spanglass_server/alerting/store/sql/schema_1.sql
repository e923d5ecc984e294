-- how often alerts changed, which is the version that readers compare
CREATE TABLE facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO facts VALUES ('version', 0);
-- columns up to `part_of`, and `evidence`, are the fields of Alert; key, labels, channels and evidence are JSON
CREATE TABLE alerts (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE, rule_uid TEXT NOT NULL, rule_name TEXT NOT NULL, fingerprint TEXT NOT NULL,
    key TEXT NOT NULL, title TEXT NOT NULL, description TEXT NOT NULL, severity TEXT NOT NULL, status TEXT NOT NULL,
    source TEXT NOT NULL, labels TEXT NOT NULL, value REAL, unit TEXT NOT NULL,
    created_ns INTEGER NOT NULL, updated_ns INTEGER NOT NULL, firing INTEGER NOT NULL,
    acknowledged_ns INTEGER NOT NULL, acknowledged_by TEXT NOT NULL,
    resolved_ns INTEGER NOT NULL, resolved_by TEXT NOT NULL,
    count INTEGER NOT NULL, priority INTEGER NOT NULL, runbook TEXT NOT NULL, owner TEXT NOT NULL,
    channels TEXT NOT NULL, part_of TEXT NOT NULL,
    -- for filters: what labels and key say, and all texts in lower case
    service TEXT NOT NULL, host TEXT NOT NULL, words TEXT NOT NULL,
    -- the last one, as SQLite reads the kilobytes of it on the way to those behind it
    evidence TEXT NOT NULL
);
CREATE UNIQUE INDEX open_alerts ON alerts (fingerprint) WHERE status IN ('active', 'acknowledged');
CREATE INDEX alerts_by_time ON alerts (created_ns, number);
-- all that alerts are counted by: reading their rows, with kilobytes of evidence each, takes fifty times as long
CREATE INDEX counted_alerts ON alerts (
    created_ns, status, severity, rule_uid, source, service, host, part_of
);
CREATE INDEX alerts_of_rules ON alerts (rule_uid, created_ns, number);
-- the history of all alerts, in the order in which it was committed; no cursor is ever given twice
CREATE TABLE entries (
    cursor INTEGER PRIMARY KEY AUTOINCREMENT, alert INTEGER NOT NULL REFERENCES alerts ON DELETE CASCADE,
    time_ns INTEGER NOT NULL, kind TEXT NOT NULL, who TEXT NOT NULL, text TEXT NOT NULL, severity TEXT NOT NULL,
    value REAL
);
CREATE INDEX entries_of_alerts ON entries (alert);
-- keys that are not where every key begins; `state` is JSON, the fields of State that differ from there
CREATE TABLE key_states (
    rule_uid TEXT NOT NULL, key TEXT NOT NULL, alert_id TEXT NOT NULL, state TEXT NOT NULL, PRIMARY KEY (rule_uid, key)
) WITHOUT ROWID;
-- up to when each rule was evaluated, and a digest of what it meant then
CREATE TABLE ticks (rule_uid TEXT PRIMARY KEY, time_ns INTEGER NOT NULL, digest TEXT NOT NULL) WITHOUT ROWID;
