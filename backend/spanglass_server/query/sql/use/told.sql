-- Pieces of time of users and sessions, with the place of the session among its user's where it has no id: of users who
-- have no session's id in the range half an hour of silence parts them; what others have beside their sessions is at 0.
WITH bins AS MATERIALIZED ({bins}),
named AS (SELECT DISTINCT user_id FROM bins WHERE session_id IS NOT NULL AND user_id IS NOT NULL),
parted AS (
    SELECT *, coalesce(first_ns - lag(last_ns) OVER own > {silence_ns}, true) AS begins
    FROM bins
    WHERE session_id IS NULL AND user_id NOT IN (SELECT user_id FROM named)
    WINDOW own AS (PARTITION BY user_id ORDER BY bin)
)
SELECT *, NULL AS place FROM bins WHERE session_id IS NOT NULL AND {chosen}
UNION ALL
SELECT *, 0 FROM bins WHERE session_id IS NULL AND user_id IN (SELECT user_id FROM named)
UNION ALL
SELECT * EXCLUDE (begins), sum(begins::INTEGER) OVER (PARTITION BY user_id ORDER BY bin) AS place FROM parted
