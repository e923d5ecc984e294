-- Users of the last day, the last seven days, and the last thirty, up to the end of a range.
WITH users AS (
    SELECT user_id, min(time_ns) AS first_ns, max(time_ns) AS last_ns FROM ({seen}) WHERE user_id IS NOT NULL AND {chosen}
    GROUP BY user_id
)
SELECT count(*) FILTER (last_ns >= {day_ns}) AS day, count(*) FILTER (last_ns >= {week_ns}) AS week, count(*) AS month,
    min(first_ns) AS since_ns
FROM users
