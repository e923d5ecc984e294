-- Statements that take long, and not by accident: a share of all that are like them.
WITH queries AS (
    SELECT *, avg((ns >= {slow_ns})::INTEGER) OVER (PARTITION BY service, shape) AS slow_share
    FROM {spans}
    WHERE shape IS NOT NULL AND NOT is_control AND NOT locks AND kind NOT IN (2, 5)
)
SELECT
    'slow_query' AS kind, request, shape AS subject, left(arg_max(text, ns), {most_text}) AS detail, count(*) AS calls,
    sum(ns)::BIGINT AS waste_ns, arg_max(row, ns) AS span
FROM queries
WHERE ns >= {slow_ns} AND slow_share >= {often} AND ns >= {notable_share} * request_ns
GROUP BY request, shape
