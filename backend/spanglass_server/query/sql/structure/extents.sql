-- From when to when the spans of each trace ran in each part, and how many rows those are; ids of other lengths are told
-- by null.
SELECT part, CASE WHEN octet_length(trace_id) = 16 THEN trace_id END AS trace_id, min(start_time_ns) AS first_ns,
    max(start_time_ns + duration_ns) AS last_ns, count(*) AS rows
FROM ({relation})
WHERE trace_id IS NOT NULL
GROUP BY part, trace_id
