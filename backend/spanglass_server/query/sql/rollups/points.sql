-- Points of some metrics, with a number for equal series and one for equal bounds.
SELECT {columns}, hash({identity}) AS series, hash(len(explicit_bounds), explicit_bounds) AS layout
FROM {relation}
WHERE metric_name IN {names} AND (coalesce(flags, 0) & 2) = 0
