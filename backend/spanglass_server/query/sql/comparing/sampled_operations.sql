-- The same where some spans stand for others too: each counts as many times. Durations are put into steps of 1.1 %.
WITH asked AS (
    SELECT coalesce(name, '') AS name, coalesce(kind, 0) AS kind, status_code, duration_ns, {weight} AS weight,
        start_time_ns >= {start_ns} AS is_now
    FROM {relation}
    WHERE {where}
), shown AS MATERIALIZED (
    SELECT name, kind, sum(weight * duration_ns) FILTER (is_now) AS now_ns
    FROM asked
    GROUP BY name, kind
    ORDER BY now_ns DESC NULLS LAST, name, kind
    LIMIT {count}
), steps AS (
    SELECT name, kind, is_now, round(64 * log2(duration_ns + 1)) AS step, sum(weight) AS weight,
        sum(weight) FILTER (status_code = 2) AS errors, sum(weight * duration_ns) AS time_ns
    FROM asked SEMI JOIN shown USING (name, kind)
    GROUP BY name, kind, is_now, step
), ranked AS (
    SELECT *, sum(weight) OVER (PARTITION BY name, kind, is_now ORDER BY step) AS upto,
        sum(weight) OVER (PARTITION BY name, kind, is_now) AS total
    FROM steps
), counted AS (
    SELECT name, kind,
        coalesce(round(sum(weight) FILTER (is_now)), 0)::BIGINT AS now_spans,
        coalesce(round(sum(errors) FILTER (is_now)), 0)::BIGINT AS now_errors,
        coalesce(round(sum(weight) FILTER (NOT is_now)), 0)::BIGINT AS before_spans,
        coalesce(round(sum(errors) FILTER (NOT is_now)), 0)::BIGINT AS before_errors,
        min(time_ns / weight) FILTER (is_now AND upto >= 0.95 * total) AS now_p95,
        min(time_ns / weight) FILTER (NOT is_now AND upto >= 0.95 * total) AS before_p95
    FROM ranked
    GROUP BY name, kind
)
SELECT * EXCLUDE (now_ns) FROM shown JOIN counted USING (name, kind) ORDER BY now_ns DESC NULLS LAST, name, kind
