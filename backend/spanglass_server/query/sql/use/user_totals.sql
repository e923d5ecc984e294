-- Users of each step, and of the whole range.
SELECT (bin * {bin_ns} - {first_ns}) // {step_ns} AS step, count(DISTINCT user_id) AS users
FROM ({bins})
GROUP BY GROUPING SETS ((step), ())
