-- Messages that wait long before a consumer takes them; doubtful ones as in ``slow_queries``.
WITH taken AS (
    SELECT
        *, avg((wait_ns >= {slow_ns})::INTEGER) OVER (PARTITION BY service, name) AS slow_share,
        quantile_cont(wait_ns, {quick}) OVER of_minute AS quick_ns, count(*) OVER of_minute AS alike
    FROM (SELECT *, greatest(start_ns - sent_ns, 0) AS wait_ns FROM {spans} WHERE sent_ns >= 0)
    WINDOW of_minute AS (PARTITION BY service, name, start_ns // 60000000000)
)
SELECT
    'queue_wait' AS kind, request, name AS subject, '' AS detail, 1 AS calls, wait_ns AS waste_ns, row AS span,
    quick_ns < {slow_ns} / 2 OR alike < {least_alike} AS is_doubtful
FROM taken
WHERE wait_ns >= {slow_ns} AND slow_share >= {often}
