CREATE TABLE issues (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, service TEXT NOT NULL, is_overflow INTEGER NOT NULL,
    -- of the earliest sighting, which began at described_ns
    described_ns INTEGER NOT NULL, title TEXT NOT NULL, type TEXT NOT NULL, message TEXT NOT NULL,
    culprit TEXT NOT NULL,
    assignee TEXT NOT NULL DEFAULT '', state TEXT NOT NULL DEFAULT 'new',
    resolved_how TEXT, resolved_ns INTEGER, resolved_release TEXT, resolved_after_ns INTEGER,
    ignored_until TEXT, ignored_ns INTEGER, ignored_limit INTEGER
);
CREATE INDEX ignored_issues ON issues (ignored_until) WHERE state = 'ignored';
-- how many ids a prefix has given
CREATE TABLE prefixes (prefix TEXT PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE keys (
    key INTEGER PRIMARY KEY, issue INTEGER NOT NULL REFERENCES issues, version INTEGER, inputs TEXT,
    first_ns INTEGER, last_ns INTEGER, first_release TEXT NOT NULL DEFAULT '', last_release TEXT NOT NULL DEFAULT '',
    -- what occurred until then was known when the key last came to another issue, and reopens nothing there
    settled_ns INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX keys_of_issues ON keys (issue);
CREATE TABLE releases (
    service TEXT NOT NULL, release TEXT NOT NULL, environment TEXT NOT NULL,
    first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL, PRIMARY KEY (service, release, environment)
) WITHOUT ROWID;
-- one row a merge, kept when it is undone; an issue is merged into one other at most
CREATE TABLE merges (
    id INTEGER PRIMARY KEY, issue INTEGER NOT NULL REFERENCES issues, target INTEGER NOT NULL REFERENCES issues,
    time_ns INTEGER NOT NULL, actor TEXT NOT NULL, by_regrouping INTEGER NOT NULL,
    undone_ns INTEGER, undone_by TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX standing_merges ON merges (issue) WHERE undone_ns IS NULL;
CREATE INDEX targets_of_merges ON merges (target) WHERE undone_ns IS NULL;
CREATE TABLE activity (
    id INTEGER PRIMARY KEY, issue INTEGER NOT NULL REFERENCES issues, time_ns INTEGER NOT NULL, actor TEXT NOT NULL,
    kind TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL, detail TEXT NOT NULL
);
CREATE INDEX activity_of_issues ON activity (issue);
CREATE TABLE comments (
    id INTEGER PRIMARY KEY, issue INTEGER NOT NULL REFERENCES issues, time_ns INTEGER NOT NULL, actor TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX comments_of_issues ON comments (issue);
CREATE TABLE events (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, time_ns INTEGER NOT NULL, issue INTEGER NOT NULL REFERENCES issues,
    release TEXT NOT NULL, environment TEXT NOT NULL, detail TEXT NOT NULL
);
-- kept when they are deleted, with when and by whom
CREATE TABLE rules (
    id INTEGER PRIMARY KEY, body TEXT NOT NULL, created_ns INTEGER NOT NULL, actor TEXT NOT NULL,
    deleted_ns INTEGER, deleted_by TEXT NOT NULL DEFAULT ''
);
-- version: rises with each change; rule_epoch: with each change of the rules
CREATE TABLE facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO facts VALUES ('version', 1), ('rule_epoch', 0);
