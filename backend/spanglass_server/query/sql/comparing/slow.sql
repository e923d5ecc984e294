-- How many spans of a stretch are slow, and what is usual there and before it.
SELECT
    count(*) FILTER (is_now) AS spans,
    count(*) FILTER (is_now AND duration_ns > {threshold_ns}) AS slow,
    approx_quantile(duration_ns, 0.5) FILTER (is_now) AS median,
    approx_quantile(duration_ns, 0.9) FILTER (is_now) AS p90,
    approx_quantile(duration_ns, 0.95) FILTER (NOT is_now) AS p95_before
FROM (SELECT duration_ns, start_time_ns >= {start_ns} AS is_now FROM {relation} WHERE {where})
