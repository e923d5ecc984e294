-- Log records with whom they are of; events are those that have a name.
SELECT {user} AS user_id, {session} AS session_id, time_ns, 0 AS requests, 0 AS errors,
    CASE WHEN {is_event} THEN 1 ELSE 0 END AS events
FROM {relation}
WHERE {where}
