SELECT min(start_time_ns) AS first_ns, max(start_time_ns) AS last_ns
FROM {relation}
WHERE trace_id = {trace_id}
