-- The last spans of a trace that began before a time.
SELECT span_id, start_time_ns
FROM {relation}
WHERE trace_id IN {trace_ids} AND span_id NOT IN {own}
ORDER BY start_time_ns DESC
LIMIT {count}
