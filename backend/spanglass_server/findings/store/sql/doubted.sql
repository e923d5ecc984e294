-- Places with hits since an hour of which some are doubtful.
SELECT DISTINCT f.kind, f.service, f.operation, f.subject
FROM sightings AS s JOIN findings AS f ON f.id = s.finding
WHERE s.hour >= :first_hour AND s.doubtful > 0
