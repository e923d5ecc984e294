-- Sessions: those that have an id, and of users who have none in the range those that half an hour of silence parts.
WITH bins AS MATERIALIZED ({bins}),
named AS (SELECT DISTINCT user_id FROM bins WHERE session_id IS NOT NULL AND user_id IS NOT NULL),
parted AS (
    SELECT *, coalesce(first_ns - lag(last_ns) OVER own > {silence_ns}, true) AS begins
    FROM bins
    WHERE session_id IS NULL AND user_id NOT IN (SELECT user_id FROM named)
    WINDOW own AS (PARTITION BY user_id ORDER BY bin)
),
told AS (
    SELECT *, NULL AS place FROM bins WHERE session_id IS NOT NULL
    UNION ALL
    SELECT * EXCLUDE (begins), sum(begins::INTEGER) OVER (PARTITION BY user_id ORDER BY bin) AS place FROM parted
)
SELECT session_id, arg_max(user_id, last_ns) AS user_id, min(first_ns) AS first_ns, max(last_ns) AS last_ns,
    sum(records)::BIGINT AS records, round(sum(requests))::BIGINT AS requests, round(sum(errors))::BIGINT AS errors,
    sum(events)::BIGINT AS events
FROM told
GROUP BY session_id, CASE WHEN session_id IS NULL THEN user_id END, place
