-- How many sessions there are, how long they are, and how many begin in each step.
WITH sessions AS MATERIALIZED ({sessions})
SELECT (first_ns - {first_ns}) // {step_ns} AS step, count(*) AS sessions,
    count(*) FILTER (user_id IS NULL) AS anonymous,
    quantile_disc(last_ns - first_ns, 0.5) AS p50_ns, quantile_disc(last_ns - first_ns, 0.95) AS p95_ns
FROM sessions
GROUP BY GROUPING SETS ((step), ())
