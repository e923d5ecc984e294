-- Statements that take long, and not by accident: a share of all that are like them. A busy machine makes some of them
-- slow, too: what is no doubt of the statement is slow in a whole minute, also where it is quickest.
WITH queries AS (
    SELECT
        *, avg((ns >= {slow_ns})::INTEGER) OVER (PARTITION BY service, shape) AS slow_share,
        quantile_cont(ns, {quick}) OVER of_minute AS quick_ns, count(*) OVER of_minute AS alike
    FROM {spans}
    WHERE shape IS NOT NULL AND NOT is_control AND NOT locks AND kind NOT IN (2, 5)
    WINDOW of_minute AS (PARTITION BY service, shape, start_ns // 60000000000)
)
SELECT
    'slow_query' AS kind, request, shape AS subject, left(arg_max(text, ns), {most_text}) AS detail, count(*) AS calls,
    sum(ns)::BIGINT AS waste_ns, arg_max(row, ns) AS span,
    bool_and(quick_ns < {slow_ns} / 2 OR alike < {least_alike}) AS is_doubtful
FROM queries
WHERE ns >= {slow_ns} AND slow_share >= {often} AND ns >= {notable_share} * request_ns
GROUP BY request, shape
