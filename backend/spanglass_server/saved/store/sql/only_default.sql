-- a page has one default among the shared views, and one among those of an owner
UPDATE views
SET is_default = 0
WHERE id <> :id AND page = :page AND is_default AND shared = :shared AND (shared OR owner = :owner)
