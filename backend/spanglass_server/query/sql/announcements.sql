-- The newest announcement of every span whose end was not told; spans of two services may share an id. Several may have come in one request, so the client's
-- time says which is the newest, and the server's when the span was last heard of.
SELECT *
FROM (
    SELECT trace_id, span_id, {service} AS service, {start} AS start_ns, max(received_time_ns) AS heard_ns,
        max(time_ns) AS time_ns, arg_max({repeat}, time_ns) AS repeat_ns, arg_max({operation}, time_ns) AS name,
        arg_max({kind}, time_ns) AS kind, arg_max({parent}, time_ns) AS parent_id,
        arg_max({status}, time_ns) AS status, bool_or({ended}) AS ended
    FROM {relation}
    WHERE event_name = {event} AND trace_id IS NOT NULL AND span_id IS NOT NULL AND ({where})
    GROUP BY ALL
)
WHERE ended IS NOT TRUE AND start_ns < {before_ns}
ORDER BY heard_ns DESC, trace_id, span_id, service
LIMIT {count}
