-- A metric's series in an order, and how many there are.
SELECT series, count(*) AS points, arg_max(value, time_ns) AS last_value, max(time_ns) AS last_ns,
    count(*) OVER () AS total, {labels}
FROM ({points}) GROUP BY series ORDER BY {order} LIMIT {limit}
