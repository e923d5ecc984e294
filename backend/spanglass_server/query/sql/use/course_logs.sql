-- Events and errors of a user or session that log records tell.
SELECT * FROM (
    SELECT time_ns, event_name, {is_event} AS is_event, left(body, {length}) AS body, {service} AS service, trace_id, span_id,
        {failed} AS failed, {user} AS user_id, {session} AS session_id, {exception} AS exception
    FROM {relation} WHERE {where}
)
WHERE {kept}
ORDER BY time_ns DESC
LIMIT {count}
