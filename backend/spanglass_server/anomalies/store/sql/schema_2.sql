-- Services that wrote the lines of a pattern, as a list, most lines first; and requests of all kinds in its time.
ALTER TABLE anomalies ADD COLUMN services TEXT NOT NULL DEFAULT '[]';
ALTER TABLE anomalies ADD COLUMN requests REAL NOT NULL DEFAULT 0;
