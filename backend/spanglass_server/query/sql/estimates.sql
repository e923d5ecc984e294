-- Figures of groups of spans of which only some were kept: each span stands for 1/probability. Durations are put into
-- steps of 1.1 %, for there is no weighted quantile to ask for, and ranking every span would take ten times as long.
WITH kept AS (
    SELECT {keys}, start_time_ns, duration_ns, status_code, {weight} AS weight
    FROM {relation}
    WHERE {where}
),
steps AS (
    SELECT {names}, round(64 * log2(duration_ns + 1)) AS step, count(*) AS stored, sum(weight) AS weight,
        sum(weight) FILTER (status_code = 2) AS errors, sum(weight * duration_ns) AS time_ns,
        max(start_time_ns) AS last_ns
    FROM kept
    GROUP BY GROUPING SETS ({sets})
),
ranked AS (
    SELECT *, sum(weight) OVER (PARTITION BY {names} ORDER BY step) AS upto,
        sum(weight) OVER (PARTITION BY {names}) AS total
    FROM steps
)
SELECT {names}, sum(stored)::BIGINT AS stored, round(sum(weight))::BIGINT AS requests,
    round(coalesce(sum(errors), 0))::BIGINT AS errors, least(round(sum(time_ns)), 9e18)::BIGINT AS total_ns,
    [min(time_ns / weight) FILTER (upto >= 0.5 * total), min(time_ns / weight) FILTER (upto >= 0.95 * total),
        min(time_ns / weight) FILTER (upto >= 0.99 * total)] AS quantiles_ns,
    max(last_ns) AS last_ns
FROM ranked
GROUP BY {names}
ORDER BY {order}
LIMIT {count}
