-- Where too many go on, the least surprising are forgotten, the newest first of those that are as surprising.
DELETE FROM anomalies WHERE end_ns IS NULL AND id NOT IN (
    SELECT id FROM anomalies WHERE end_ns IS NULL ORDER BY surprise DESC, id LIMIT :most
) RETURNING kind, labels
