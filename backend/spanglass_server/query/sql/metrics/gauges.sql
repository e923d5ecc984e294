-- Values as they are, for each group and step. A series without a value in a step keeps its last one, if that is at
-- most hold_ns old when the step (or the range) ends and no marker says that the series has ended.
WITH points AS ({points}),
stepped AS (
    SELECT *, CASE WHEN time_ns < {start_ns} THEN {first_ns} - {step_ns} ELSE time_ns // {step_ns} * {step_ns} END
        AS step, CASE WHEN isfinite(value) THEN value END AS finite
    FROM points WHERE NOT is_gap
),
by_series AS (
    SELECT {by} step, series, sum(finite) AS total, min(finite) AS low, max(finite) AS high,
        arg_max(finite, time_ns) AS last, max(CASE WHEN finite IS NOT NULL THEN time_ns END) AS last_ns,
        count(finite) AS n, count(*) - count(finite) AS not_finite, {listed} AS listed
    FROM stepped GROUP BY ALL
),
-- without a value in some step from their first one on
incomplete AS (
    SELECT series FROM by_series WHERE n > 0 GROUP BY {by} series
    HAVING count(*) < ({end_ns} - 1 - min(step)) // {step_ns} + 1
),
followed AS (
    SELECT *, lead(step) OVER (PARTITION BY {by} series ORDER BY step) AS next_step
    FROM by_series SEMI JOIN incomplete USING (series) WHERE n > 0
),
held AS (
    SELECT {by} last, unnest(range(step + {step_ns}, least(
        {end_ns}, next_step, ended_ns - {step_ns} + 1,
        CASE WHEN {end_ns} - last_ns > {hold_ns} THEN last_ns + {hold_ns} - {step_ns} + 1 END
    ), {step_ns})) AS step
    FROM {followed}
),
valued AS (
    SELECT {by} step, total, low, high, last, n, n AS points, not_finite, listed FROM by_series WHERE step >= {first_ns}
    UNION ALL
    SELECT {by} step, last, last, last, last, 1, 0, 0, {held_listed} FROM held
)
SELECT {by} step, sum(total) / nullif(sum(n), 0) AS avg, sum(last) AS sum, min(low) AS min, max(high) AS max,
    nullif(sum(points), 0) AS count, sum(not_finite) AS not_finite, sum(n) AS weight, {quantile} AS quantile
FROM valued GROUP BY ALL
