-- The course of some metrics over the steps of a range: of levels the mean, of what only rises the increase a second.
-- A value that fell counts from zero, as after the restart of its process.
WITH stepped AS (
    SELECT metric_name, metric_type, coalesce(metric_unit, '') AS unit, {series} AS series,
        (time_ns - {first_ns}) // {step_ns} AS step, metric_type NOT IN ('gauge', 'sum') OR
            coalesce(is_monotonic OR temporality = 1, false) AS rises,
        coalesce(temporality = 1, false) AS is_delta,
        arg_min(coalesce(count::DOUBLE, value_double, value_int::DOUBLE), time_ns) AS first,
        arg_max(coalesce(count::DOUBLE, value_double, value_int::DOUBLE), time_ns) AS last,
        sum(coalesce(count::DOUBLE, value_double, value_int::DOUBLE)) AS total, count(*) AS n
    FROM {relation}
    WHERE metric_name IN {names} AND time_ns >= {start_ns} AND time_ns < {end_ns} AND (coalesce(flags, 0) & 1) = 0
        AND isfinite(coalesce(count::DOUBLE, value_double, value_int::DOUBLE))
    GROUP BY ALL
),
moved AS (
    SELECT *, last - coalesce(lag(last) OVER (
        PARTITION BY metric_name, metric_type, unit, series ORDER BY step
    ), first) AS difference
    FROM stepped
)
SELECT metric_name AS name, metric_type AS type, unit, step,
    CASE WHEN bool_or(rises)
        THEN sum(CASE WHEN is_delta THEN total WHEN difference >= 0 THEN difference ELSE last END) / {step_s}
        ELSE sum(total) / sum(n) END AS value
FROM moved
GROUP BY metric_name, metric_type, unit, step
ORDER BY name, type, unit, step
