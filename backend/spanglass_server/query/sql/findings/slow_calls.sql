-- Calls out of what is observed that take long; doubtful ones as in ``slow_queries``.
WITH calls AS (
    SELECT
        *, concat_ws(' ', method, host || path_shape) AS subject,
        avg((ns >= {slow_ns})::INTEGER) OVER (PARTITION BY service, method, host, path_shape) AS slow_share,
        quantile_cont(ns, {quick}) OVER of_minute AS quick_ns, count(*) OVER of_minute AS alike
    FROM {spans}
    WHERE kind = 3 AND text IS NULL AND system IS NULL AND host IS NOT NULL AND NOT is_called
    WINDOW of_minute AS (PARTITION BY service, method, host, path_shape, start_ns // 60000000000)
)
SELECT
    'slow_call' AS kind, request, subject, '' AS detail, count(*) AS calls,
    sum(ns)::BIGINT AS waste_ns, arg_max(row, ns) AS span,
    bool_and(quick_ns < {slow_ns} / 2 OR alike < {least_alike}) AS is_doubtful
FROM calls
WHERE ns >= {slow_ns} AND slow_share >= {often} AND ns >= {notable_share} * request_ns
GROUP BY request, subject
