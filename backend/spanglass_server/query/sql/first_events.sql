SELECT trace_id, {identity}, min(list_min(event_time_ns)) AS first_ns
FROM {relation}
WHERE trace_id IN {trace_ids} AND event_time_ns IS NOT NULL
GROUP BY ALL
