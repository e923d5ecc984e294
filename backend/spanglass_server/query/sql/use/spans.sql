-- Spans with whom they are of; requests are server spans.
SELECT {user} AS user_id, {session} AS session_id, start_time_ns AS time_ns,
    CASE WHEN kind = 2 THEN {weight} ELSE 0 END AS requests,
    CASE WHEN kind = 2 AND status_code = 2 THEN {weight} ELSE 0 END AS errors, 0 AS events
FROM {relation}
WHERE {where}
