-- Many calls over HTTP to one host in one request, for one thing after the other.
WITH calls AS (
    SELECT *, start_ns - lag(end_ns) OVER (PARTITION BY request, host ORDER BY start_ns, row) AS gap_ns
    FROM {spans}
    WHERE kind = 3 AND text IS NULL AND system IS NULL AND method IS NOT NULL AND host IS NOT NULL
),
repeated AS (
    SELECT
        request, host, count(*) AS calls, sum(ns) AS spent_ns, max(end_ns) - min(start_ns) AS extent_ns,
        arg_min(row, start_ns) AS span, any_value(request_ns) AS request_ns, median(greatest(gap_ns, 0)) AS gap_ns,
        count(DISTINCT target) AS different, mode(method || ' ' || host || path_shape) AS subject
    FROM calls
    GROUP BY request, host
)
SELECT
    'chatty_calls' AS kind, request, subject, '' AS detail, calls,
    (least(spent_ns, extent_ns) * (calls - 1) / calls)::BIGINT AS waste_ns, span
FROM repeated
WHERE calls >= {least_calls} AND 2 * different >= calls AND gap_ns <= {most_gap_ns}
    AND spent_ns >= least({notable_share} * request_ns, {notable_ns})
