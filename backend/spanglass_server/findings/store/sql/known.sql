-- Findings with the sums of some hours; how many requests their operations had is known from their durations.
SELECT
    f.*, coalesce(s.hits, 0) AS hits, coalesce(s.calls, 0) AS calls, coalesce(s.waste_ns, 0) AS waste_ns,
    max(coalesce(s.requests, 0), coalesce(d.requests, 0)) AS requests
FROM findings AS f
LEFT JOIN (
    SELECT finding, sum(requests) AS requests, sum(hits) AS hits, sum(calls) AS calls, sum(waste_ns) AS waste_ns
    FROM sightings WHERE hour >= :first_hour GROUP BY finding
) AS s ON s.finding = f.id
LEFT JOIN (
    SELECT service, operation, sum(requests) AS requests
    FROM durations WHERE hour >= :first_hour GROUP BY service, operation
) AS d ON d.service = f.service AND d.operation = f.operation
