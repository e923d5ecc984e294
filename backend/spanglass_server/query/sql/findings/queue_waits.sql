-- Messages that wait long before a consumer takes them; doubtful ones as in ``slow_queries``. Where all wait about as long
-- as the quickest, the sender's clock may be behind by that.
WITH taken AS (
    SELECT
        *, quick_of_all_ns + least({slow_ns} / 2, {least_spread} * median_ns) > median_ns AS is_offset
    FROM (
        SELECT
            *, avg((wait_ns >= {slow_ns})::INTEGER) OVER of_all AS slow_share,
            quantile_cont(wait_ns, {quick}) OVER of_all AS quick_of_all_ns,
            quantile_cont(wait_ns, 0.5) OVER of_all AS median_ns,
            quantile_cont(wait_ns, {quick}) OVER of_minute AS quick_ns, count(*) OVER of_minute AS alike
        FROM (SELECT *, greatest(start_ns - sent_ns, 0) AS wait_ns FROM {spans} WHERE sent_ns >= 0)
        WINDOW
            of_all AS (PARTITION BY service, name),
            of_minute AS (PARTITION BY service, name, start_ns // 60000000000)
    )
)
SELECT
    'queue_wait' AS kind, request, name AS subject, '' AS detail, 1 AS calls, wait_ns AS waste_ns, row AS span, is_offset,
    is_offset OR quick_ns < {slow_ns} / 2 OR alike < {least_alike} AS is_doubtful
FROM taken
WHERE wait_ns >= {slow_ns} AND slow_share >= {often}
