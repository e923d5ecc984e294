-- Spans from a time on and before it.
SELECT
    count(*) FILTER (is_now) AS now_spans,
    count(*) FILTER (is_now AND status_code = 2) AS now_errors,
    approx_quantile(duration_ns, 0.95) FILTER (is_now) AS now_p95,
    count(*) FILTER (NOT is_now) AS before_spans,
    count(*) FILTER (NOT is_now AND status_code = 2) AS before_errors,
    approx_quantile(duration_ns, 0.95) FILTER (NOT is_now) AS before_p95
FROM (SELECT status_code, duration_ns, start_time_ns >= {start_ns} AS is_now FROM {relation} WHERE {where})
