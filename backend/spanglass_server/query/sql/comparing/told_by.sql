-- The spans that tell the newest occurrences of an issue.
SELECT told.trace_id, told.span_id, told.time_ns, coalesce(spans.duration_ns, 0) AS duration_ns,
       coalesce(spans.name, '') AS name
FROM (
    SELECT trace_id, span_id, time_ns FROM {occurrences}
    WHERE issue_key IN {keys} AND trace_id IS NOT NULL
    ORDER BY time_ns DESC LIMIT {count}
) AS told
LEFT JOIN {spans} AS spans ON spans.trace_id = told.trace_id AND spans.span_id = told.span_id
ORDER BY told.time_ns DESC
