-- Who tells most of each metric.
SELECT metric, arg_max(sender, n) AS sender
FROM (SELECT metric, sender, count(*) AS n FROM ({points}) GROUP BY metric, sender) GROUP BY metric
