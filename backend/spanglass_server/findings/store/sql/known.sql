-- Findings with the sums of some hours; how many requests their operations had is known from their durations.
WITH seen AS (
    SELECT *, min(hour) FILTER (WHERE hits > 0) OVER (PARTITION BY finding) AS began_hour
    FROM sightings WHERE hour >= :first_hour
)
SELECT
    f.*, coalesce(s.hits, 0) AS hits, coalesce(s.calls, 0) AS calls, coalesce(s.waste_ns, 0) AS waste_ns,
    coalesce(s.doubtful, 0) AS doubtful, coalesce(s.minutes, 0) AS minutes, coalesce(s.alike, 0) AS alike,
    max(coalesce(s.requests, 0), coalesce(d.requests, 0)) AS requests
FROM findings AS f
LEFT JOIN (
    SELECT
        finding, sum(requests) AS requests, sum(hits) AS hits, sum(calls) AS calls, sum(waste_ns) AS waste_ns,
        sum(doubtful) AS doubtful, sum(minutes) AS minutes, sum(alike) AS alike
    FROM seen WHERE hour >= began_hour GROUP BY finding
) AS s ON s.finding = f.id
LEFT JOIN (
    SELECT service, operation, sum(requests) AS requests
    FROM durations WHERE hour >= :first_hour GROUP BY service, operation
) AS d ON d.service = f.service AND d.operation = f.operation
