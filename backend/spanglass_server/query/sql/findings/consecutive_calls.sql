-- Calls that read, one after the other with nothing between them: they could run at once.
WITH reads AS (
    SELECT *, max(ns) OVER (PARTITION BY request) AS longest_ns
    FROM {spans}
    WHERE kind = 3 AND text IS NULL AND system IS NULL AND NOT failed
        AND coalesce(method, 'GET') IN ('GET', 'HEAD', 'OPTIONS', 'QUERY')
),
-- short ones take part in nothing: what is between the others is then longer
calls AS (
    SELECT *, max(end_ns) OVER (
        PARTITION BY request ORDER BY start_ns, row ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS before_ns
    FROM reads
    WHERE ns >= {least_share} * longest_ns
),
chains AS (
    SELECT
        request, count(*) AS calls, sum(ns) AS spent_ns, max(longest_ns) AS longest_ns, any_value(request_ns) AS request_ns,
        count(DISTINCT coalesce(host || path_shape, name)) AS different,
        string_agg(DISTINCT coalesce(host || path_shape, name), ', ' ORDER BY coalesce(host || path_shape, name)) AS subject,
        coalesce(bool_and(start_ns >= before_ns), true) AS is_chain, sum(greatest(start_ns - before_ns, 0)) AS gaps_ns,
        arg_min(row, start_ns) AS span
    FROM calls
    GROUP BY request
)
SELECT
    'consecutive_calls' AS kind, request, left(subject, 300) AS subject, '' AS detail, calls,
    (spent_ns - longest_ns)::BIGINT AS waste_ns, span
FROM chains
WHERE is_chain AND calls >= {least_calls} AND 2 * different >= calls AND gaps_ns <= {most_gaps_share} * spent_ns
    AND spent_ns - longest_ns >= greatest({notable_ns}, {notable_share} * request_ns)
