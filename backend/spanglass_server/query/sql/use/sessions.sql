-- Sessions, each with the user who was seen in it last.
SELECT session_id, arg_max(user_id, last_ns) AS user_id, min(first_ns) AS first_ns, max(last_ns) AS last_ns,
    sum(records)::BIGINT AS records, round(sum(requests))::BIGINT AS requests, round(sum(errors))::BIGINT AS errors,
    sum(events)::BIGINT AS events
FROM ({told})
WHERE place IS DISTINCT FROM 0
GROUP BY session_id, CASE WHEN session_id IS NULL THEN user_id END, place
