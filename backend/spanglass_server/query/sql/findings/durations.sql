-- Durations of requests that are told of, by operation and release: eight buckets for each doubling. Of some
-- operations, those that took the most time.
WITH requests AS (
    SELECT service, name AS operation, coalesce(left(release, 100), '') AS release, ns
    FROM {spans}
    WHERE request = row AND (kind IN (2, 5) OR parent < 0) AND is_told
),
most AS (SELECT service, operation FROM requests GROUP BY ALL ORDER BY sum(ns) DESC LIMIT {most})
SELECT
    service, operation, release, floor(8 * log2(greatest(ns, 1)))::INTEGER AS bucket,
    count(*) AS requests, sum(ns)::DOUBLE AS total_ns
FROM requests
SEMI JOIN most USING (service, operation)
GROUP BY ALL
