-- The same statement many times in one request: with other values each time, or with the same.
WITH queries AS (
    SELECT *, start_ns - lag(end_ns) OVER (PARTITION BY request, shape ORDER BY start_ns, row) AS gap_ns
    FROM {spans}
    WHERE shape IS NOT NULL AND NOT is_control AND NOT is_batch AND NOT failed AND kind NOT IN (2, 5)
),
repeated AS (
    SELECT
        request, shape, count(*) AS calls, sum(ns) AS spent_ns, max(end_ns) - min(start_ns) AS extent_ns,
        arg_min(row, start_ns) AS span, left(arg_min(text, start_ns), {most_text}) AS detail, any_value(request_ns) AS request_ns,
        median(greatest(gap_ns, 0)) AS gap_ns,
        count(DISTINCT text || chr(31) || coalesce(parameters, '')) = 1
        AND NOT bool_or(is_bound AND parameters IS NULL) AS is_same
    FROM queries
    GROUP BY request, shape
)
SELECT
    CASE WHEN is_same THEN 'repeated_query' ELSE 'n_plus_one' END AS kind, request, shape AS subject, detail, calls,
    (least(spent_ns, extent_ns) * (calls - 1) / calls)::BIGINT AS waste_ns, span
FROM repeated
WHERE calls >= CASE WHEN is_same THEN {least_same} ELSE {least_calls} END
    AND gap_ns <= {most_gap_ns} AND spent_ns >= least({notable_share} * request_ns, {notable_ns})
