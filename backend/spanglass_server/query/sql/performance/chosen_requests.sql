-- Some spans that match, of a stretch of time.
SELECT trace_id, span_id, duration_ns
FROM {relation}
WHERE ({where}) AND duration_ns >= {least_ns} AND trace_id IS NOT NULL AND span_id IS NOT NULL
ORDER BY start_time_ns DESC
LIMIT {count}
