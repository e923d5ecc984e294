-- Minutes in which the machine was busy: in most services many pieces of requests took ten times as long as they do when
-- they are quick, in several places. Pieces are spans without others below them, and the time before each span.
WITH below AS (
    SELECT request, row, service, request_name AS operation, name, start_ns, ns, is_leaf, shape, end_ns, request_start_ns
    FROM {spans}
    WHERE request <> row
),
pieces AS (
    SELECT service, start_ns, ns, concat_ws(chr(31), operation, coalesce(shape, name)) AS place FROM below WHERE is_leaf
    UNION ALL
    SELECT
        service, start_ns,
        start_ns - coalesce(
            max(end_ns) OVER (
                PARTITION BY request ORDER BY start_ns, row ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ),
            request_start_ns
        ),
        concat_ws(chr(31), operation, name, 'before')
    FROM below
),
held AS (
    SELECT service, start_ns // 60000000000 AS minute, place, ns > greatest({times} * quick_ns, {least_ns}) AS is_held
    FROM (
        SELECT *, quantile_cont(ns, {quick}) OVER of_place AS quick_ns, count(*) OVER of_place AS alike
        FROM pieces
        WHERE ns > 0
        WINDOW of_place AS (PARTITION BY service, place)
    )
    WHERE alike >= {least_alike}
),
services AS (
    SELECT
        minute, service,
        avg(is_held::INTEGER) >= {share} AND count(DISTINCT place) FILTER (is_held) >= {least_places} AS is_busy
    FROM held
    GROUP BY ALL
    HAVING count(*) >= {least_pieces}
)
SELECT minute FROM services GROUP BY minute HAVING avg(is_busy::INTEGER) >= 0.5
