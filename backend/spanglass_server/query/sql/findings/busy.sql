-- Minutes in which the machine was busy: in most services many pieces of requests took ten times as long as they do when
-- they are quick, in several places. Pieces are spans without others below them, and the time before each span. One
-- service may be slow by itself at times, where what it calls is: there it has to be so of pieces that are no calls, too.
WITH below AS (
    SELECT
        request, row, service, request_name AS operation, name, start_ns, ns, is_leaf, shape, end_ns, request_start_ns,
        kind IN (3, 4) OR shape IS NOT NULL AS is_call
    FROM {spans}
    WHERE request <> row
),
pieces AS (
    SELECT service, start_ns, ns, is_call, concat_ws(chr(31), operation, coalesce(shape, name)) AS place
    FROM below WHERE is_leaf
    UNION ALL
    SELECT
        service, start_ns,
        start_ns - coalesce(
            max(end_ns) OVER (
                PARTITION BY request ORDER BY start_ns, row ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ),
            request_start_ns
        ),
        false, concat_ws(chr(31), operation, name, 'before')
    FROM below
),
held AS (
    SELECT
        service, start_ns // 60000000000 AS minute, place, is_call,
        ns > greatest({times} * quick_ns, {least_ns}) AS is_held
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
        avg(is_held::INTEGER) >= {share} AND count(DISTINCT place) FILTER (is_held) >= {least_places} AS is_busy,
        coalesce(avg(is_held::INTEGER) FILTER (NOT is_call), 0) >= {share}
            AND count(DISTINCT place) FILTER (is_held AND NOT is_call) >= {least_places} AS is_busy_itself
    FROM held
    GROUP BY ALL
    HAVING count(*) >= {least_pieces}
)
SELECT minute FROM services GROUP BY minute
HAVING avg(is_busy::INTEGER) >= 0.5 AND (count_if(is_busy) >= 2 OR bool_or(is_busy AND is_busy_itself))
