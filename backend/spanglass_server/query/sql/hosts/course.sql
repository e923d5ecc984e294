-- The values of some senders over the steps of a range: of levels the mean, of what only rises the increase a second.
WITH stepped AS (
    SELECT sender, metric, state, part, series, rises, coalesce(is_delta, false) AS is_delta,
        (time_ns - {first_ns}) // {step_ns} AS step,
        arg_min(value, time_ns) AS first, arg_max(value, time_ns) AS last, min(time_ns) AS first_ns,
        max(time_ns) AS last_ns, sum(value) AS total, avg(value) AS mean
    FROM ({points})
    WHERE sender IN {senders}
    GROUP BY ALL
),
moved AS (
    SELECT *, last - coalesce(lag(last) OVER before, first) AS difference,
        last_ns - coalesce(lag(last_ns) OVER before, first_ns) AS took_ns
    FROM stepped
    WINDOW before AS (PARTITION BY series ORDER BY step)
)
SELECT sender, metric, state, part, step,
    sum(CASE WHEN NOT rises THEN mean
        WHEN is_delta THEN total / {step_s}
        WHEN took_ns > 0 AND difference >= 0 THEN difference / (took_ns / 1e9) END) AS value
FROM moved
GROUP BY sender, metric, state, part, step
ORDER BY metric, state, part, step
