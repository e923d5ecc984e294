-- Increases of sums for each group and step. Integers are subtracted as integers: past 2^53 doubles lose the units.
WITH pieces AS ({pieces} {unusable}),
grown AS (
    SELECT *, CASE WHEN mode = 'diff' THEN coalesce((whole::HUGEINT - prev_whole)::DOUBLE, value - prev_value)
        ELSE value END AS increase
    FROM pieces
),
by_series AS (
    SELECT {by} step, series, sum(increase * share) AS value, sum(increase * paced) AS paced,
        min(from_ns) FILTER (share IS NOT NULL) AS from_ns, max(to_ns) FILTER (share IS NOT NULL) AS to_ns, {facts},
        count(*) FILTER (is_unusable) AS not_finite
    FROM grown GROUP BY ALL
)
SELECT {by} step, sum(value) AS increase, sum(paced) AS paced, avg(value) AS avg, min(value) AS min, max(value) AS max,
    nullif(sum(n_points), 0) AS count, min(from_ns) AS from_ns, max(to_ns) AS to_ns, sum(resets) AS resets,
    sum(overlapping) AS overlapping, 0 AS incomparable, sum(not_finite) AS not_finite, sum(abs(value)) AS weight
FROM by_series GROUP BY ALL
