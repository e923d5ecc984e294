-- Calls out of what is observed that take long.
WITH calls AS (
    SELECT
        *, concat_ws(' ', method, host || path_shape) AS subject,
        avg((ns >= {slow_ns})::INTEGER) OVER (PARTITION BY service, method, host, path_shape) AS slow_share
    FROM {spans}
    WHERE kind = 3 AND text IS NULL AND system IS NULL AND host IS NOT NULL AND NOT is_called
)
SELECT
    'slow_call' AS kind, request, subject, '' AS detail, count(*) AS calls,
    sum(ns)::BIGINT AS waste_ns, arg_max(row, ns) AS span
FROM calls
WHERE ns >= {slow_ns} AND slow_share >= {often} AND ns >= {notable_share} * request_ns
GROUP BY request, subject
