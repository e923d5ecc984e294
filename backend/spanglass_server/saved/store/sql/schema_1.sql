CREATE TABLE views (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    url TEXT NOT NULL,
    page TEXT NOT NULL,
    owner TEXT NOT NULL,
    shared INTEGER NOT NULL,
    pinned INTEGER NOT NULL,
    is_default INTEGER NOT NULL,
    created_ns INTEGER NOT NULL,
    changed_ns INTEGER NOT NULL
);
-- one name among the shared views, and one among those of an owner
CREATE UNIQUE INDEX view_names ON views (shared, CASE shared WHEN 1 THEN '' ELSE owner END, name);
