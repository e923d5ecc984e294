-- Open findings that were first seen after a time, of which no sighting is left.
DELETE FROM findings
WHERE state = 'open' AND first_ns >= :first_ns AND NOT EXISTS (SELECT 1 FROM sightings WHERE sightings.finding = findings.id)
