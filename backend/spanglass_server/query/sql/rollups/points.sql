-- Points of some metrics, one series after another, with a number for equal series and one for equal bounds.
SELECT {columns}, hash({identity}) AS series, hash(len(explicit_bounds), explicit_bounds) AS layout
FROM {relation}
WHERE metric_name IN {names} AND (coalesce(flags, 0) & 2) = 0
ORDER BY series, time_ns
