-- version: how often incidents changed; cursor: of the alert store, up to which all is taken in; announced: of `lines`
CREATE TABLE facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO facts VALUES ('version', 0), ('cursor', 0), ('announced', 0);
-- `number` is that of the id INC-<number>; `told` is JSON, the fields of Incident that differ from their defaults
CREATE TABLE incidents (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    status TEXT NOT NULL, severity TEXT NOT NULL, opened_ns INTEGER NOT NULL, resolved_ns INTEGER NOT NULL,
    -- for filters: all texts in lower case
    words TEXT NOT NULL,
    told TEXT NOT NULL
);
CREATE INDEX incidents_by_time ON incidents (opened_ns, number);
CREATE INDEX live_incidents ON incidents (number) WHERE status IN ('open', 'acknowledged', 'recovered');
-- services and rules of incidents, for filters
CREATE TABLE marks (
    incident INTEGER NOT NULL REFERENCES incidents ON DELETE CASCADE, kind TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (kind, value, incident)
) WITHOUT ROWID;
CREATE INDEX marks_of_incidents ON marks (incident);
-- an alert is in one incident at most; `told` is JSON as above, of Member. Those of an incident that somebody deleted
-- stay, without one: they are in none, and are not taken into another by themselves
CREATE TABLE members (
    alert_id TEXT PRIMARY KEY, incident INTEGER REFERENCES incidents ON DELETE CASCADE,
    has_left INTEGER NOT NULL, created_ns INTEGER NOT NULL, told TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX members_of_incidents ON members (incident, created_ns);
CREATE INDEX members_that_left ON members (alert_id) WHERE has_left;
-- the timelines of all incidents, in the order in which they were committed; no cursor is ever given twice
CREATE TABLE lines (
    cursor INTEGER PRIMARY KEY AUTOINCREMENT, incident INTEGER NOT NULL REFERENCES incidents ON DELETE CASCADE,
    time_ns INTEGER NOT NULL, kind TEXT NOT NULL, who TEXT NOT NULL, text TEXT NOT NULL, severity TEXT NOT NULL,
    alert_id TEXT NOT NULL
);
CREATE INDEX lines_of_incidents ON lines (incident, time_ns, cursor);
-- an alert's history may be read twice, when the alert joins and as it goes on: each line once
CREATE UNIQUE INDEX lines_of_alerts ON lines (incident, alert_id, time_ns, kind, who, text) WHERE alert_id <> '';
