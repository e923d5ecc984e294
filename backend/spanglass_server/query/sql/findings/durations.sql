-- Durations of requests that began in a range, by operation and release: eight buckets for each doubling.
SELECT
    service, name AS operation, coalesce(release, '') AS release,
    floor(8 * log2(greatest(ns, 1)))::INTEGER AS bucket, count(*) AS requests, sum(ns)::DOUBLE AS total_ns
FROM {spans}
WHERE request = row AND (kind IN (2, 5) OR parent < 0) AND start_ns >= {start_ns} AND start_ns < {end_ns}
GROUP BY ALL
ORDER BY total_ns DESC
LIMIT {most}
