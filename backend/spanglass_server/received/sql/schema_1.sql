-- Bytes of stored export requests as they came over the wire, by hour (since 1970) and signal.
CREATE TABLE received (
    hour INTEGER NOT NULL, signal TEXT NOT NULL, bytes REAL NOT NULL,
    PRIMARY KEY (hour, signal)
) WITHOUT ROWID;
