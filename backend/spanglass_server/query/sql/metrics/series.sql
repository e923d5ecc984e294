-- A metric's series, those with the most points first.
SELECT series, count(*) AS points, arg_max(value, time_ns) AS last_value, max(time_ns) AS last_ns, {labels}
FROM ({points}) GROUP BY series ORDER BY points DESC, last_ns DESC, series LIMIT {limit}
