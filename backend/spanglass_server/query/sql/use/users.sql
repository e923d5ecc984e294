-- Users, each with what was seen of it.
WITH sessions AS MATERIALIZED ({sessions}),
users AS (
    SELECT user_id, count(*) AS sessions, min(first_ns) AS first_ns, max(last_ns) AS last_ns,
        sum(records)::BIGINT AS records, sum(requests)::BIGINT AS requests, sum(errors)::BIGINT AS errors,
        sum(events)::BIGINT AS events
    FROM sessions
    WHERE user_id IS NOT NULL AND contains(lower(user_id), lower({text}))
    GROUP BY user_id
)
SELECT *, count(*) OVER () AS total FROM users ORDER BY {order} DESC, user_id LIMIT {count}
