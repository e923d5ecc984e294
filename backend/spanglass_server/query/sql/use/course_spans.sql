-- What a user or session did: each trace by the first of its spans that are theirs.
SELECT trace_id, min(start_time_ns) AS time_ns, arg_min(span_id, start_time_ns) AS span_id,
    arg_min(name, start_time_ns) AS name, arg_min(service, start_time_ns) AS service,
    arg_min(duration_ns, start_time_ns) AS duration_ns, bool_or(coalesce(status_code = 2, false)) AS failed,
    count(*) AS spans, any_value(user_id) AS user_id, any_value(session_id) AS session_id
FROM (
    SELECT trace_id, span_id, name, {service} AS service, start_time_ns, duration_ns, status_code, {user} AS user_id,
        {session} AS session_id
    FROM {relation} WHERE {where}
)
WHERE trace_id IS NOT NULL
GROUP BY trace_id
HAVING {kept}
ORDER BY time_ns DESC
LIMIT {count}
