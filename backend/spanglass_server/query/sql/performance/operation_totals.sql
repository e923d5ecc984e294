-- How many spans match, and from when on they are among the slowest twentieth.
SELECT count(*) AS spans, approx_quantile(duration_ns, 0.95) AS slow_ns, avg(duration_ns) AS mean_ns
FROM {relation}
WHERE {where}
