-- Users of each step, and of the whole range, with what they did.
SELECT (bin * {bin_ns} - {first_ns}) // {step_ns} AS step, count(DISTINCT user_id) AS users,
    round(sum(requests))::BIGINT AS requests, round(sum(errors))::BIGINT AS errors, sum(events)::BIGINT AS events
FROM ({bins})
GROUP BY GROUPING SETS ((step), ())
