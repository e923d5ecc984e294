-- Spans by operation, from a time on and before it. Names may hold ids, and a quantile takes 16 kB for each, so times are
-- those of what is shown.
WITH asked AS (
    SELECT coalesce(name, '') AS name, coalesce(kind, 0) AS kind, status_code, duration_ns,
        start_time_ns >= {start_ns} AS is_now
    FROM {relation}
    WHERE {where}
), shown AS MATERIALIZED (
    SELECT name, kind,
        count(*) FILTER (is_now) AS now_spans,
        count(*) FILTER (is_now AND status_code = 2) AS now_errors,
        count(*) FILTER (NOT is_now) AS before_spans,
        count(*) FILTER (NOT is_now AND status_code = 2) AS before_errors,
        sum(duration_ns) FILTER (is_now) AS now_ns
    FROM asked
    GROUP BY name, kind
    ORDER BY now_ns DESC NULLS LAST, name, kind
    LIMIT {count}
), took AS (
    SELECT name, kind,
        approx_quantile(duration_ns, 0.95) FILTER (is_now) AS now_p95,
        approx_quantile(duration_ns, 0.95) FILTER (NOT is_now) AS before_p95
    FROM asked SEMI JOIN shown USING (name, kind)
    GROUP BY name, kind
)
SELECT * EXCLUDE (now_ns) FROM shown JOIN took USING (name, kind) ORDER BY now_ns DESC NULLS LAST, name, kind
