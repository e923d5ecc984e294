-- Starts and traces of the first matching spans; DuckDB keeps only the best of them while it scans, and skips
-- row groups whose starts can't be among them.
SELECT trace_id, start_time_ns
FROM {relation}
WHERE {where}
ORDER BY start_time_ns {direction}
LIMIT {count}
