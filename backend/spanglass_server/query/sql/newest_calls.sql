SELECT trace_id, span_id, start_time_ns
FROM {relation}
WHERE {where}
ORDER BY start_time_ns DESC
LIMIT {count}
