-- The newest bad records of traces.
SELECT trace_id, span_id, {time} AS time_ns, {duration} AS duration_ns, {operation} AS name
FROM {relation}
WHERE ({where}) AND trace_id IS NOT NULL
ORDER BY time_ns DESC
LIMIT {count}
