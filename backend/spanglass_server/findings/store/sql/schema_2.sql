-- Of the hits those that a busy machine may have caused, and the minutes that hold hits; requests or calls like them. All
-- gaps seen before are such.
ALTER TABLE sightings ADD COLUMN doubtful REAL NOT NULL DEFAULT 0;
ALTER TABLE sightings ADD COLUMN minutes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sightings ADD COLUMN alike REAL NOT NULL DEFAULT 0;
UPDATE sightings SET doubtful = hits WHERE finding IN (SELECT id FROM findings WHERE kind = 'gap');
