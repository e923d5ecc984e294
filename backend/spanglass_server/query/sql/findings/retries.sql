-- The same call again after it failed. One of many like calls that fails here and there is no retry: at most one goes well.
WITH calls AS (
    SELECT
        *, coalesce(shape, nullif(concat_ws(' ', method, host || path_shape), ''), name) AS subject,
        coalesce(text || chr(31) || coalesce(parameters, ''), method || ' ' || target, name || chr(31) || coalesce(host, '')) AS same,
        failed AND (status IS NULL OR status < 400 OR status >= 500 OR status IN (408, 425, 429)) AS is_bad
    FROM {spans}
    WHERE kind IN (3, 4) OR text IS NOT NULL
),
attempts AS (
    SELECT
        *, lag(is_bad) OVER attempt AS was_bad, lag(end_ns) OVER attempt AS before_ns, lag(ns) OVER attempt AS lost_ns
    FROM calls
    WINDOW attempt AS (PARTITION BY request, subject, same ORDER BY start_ns, row)
)
SELECT
    'retries' AS kind, request, subject, '' AS detail,
    count(*) AS calls,
    coalesce(sum(lost_ns + start_ns - before_ns) FILTER (WHERE was_bad AND start_ns >= before_ns), 0)::BIGINT AS waste_ns,
    arg_min(row, start_ns) AS span
FROM attempts
GROUP BY request, subject, same
HAVING (count(*) FILTER (WHERE was_bad AND start_ns >= before_ns) > 0 AND count(*) FILTER (WHERE NOT failed) <= 1)
    OR max(coalesce(resend, 0)) > 0
