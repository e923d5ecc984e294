-- Users, each with what was seen of it; several may share a session.
WITH users AS (
    SELECT user_id, count(DISTINCT coalesce(session_id, nullif(place, 0)::VARCHAR)) AS sessions, min(first_ns) AS first_ns,
        max(last_ns) AS last_ns, sum(records)::BIGINT AS records, round(sum(requests))::BIGINT AS requests,
        round(sum(errors))::BIGINT AS errors, sum(events)::BIGINT AS events
    FROM ({told})
    WHERE user_id IS NOT NULL AND contains(lower(user_id), lower({text}))
    GROUP BY user_id
)
SELECT *, count(*) OVER () AS total, row_number() OVER (ORDER BY {order} DESC, user_id) AS place
FROM users
QUALIFY place <= {count}
