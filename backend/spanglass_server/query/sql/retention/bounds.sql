-- How long requests of an operation take at most but for one of a hundred, by day; operations of which few are seen,
-- and all but the most used, have no bound.
SELECT start_time_ns // {day_ns} AS day, {service} AS service, name,
    approx_quantile(duration_ns, 0.99)::BIGINT AS bound_ns
FROM {relation}
WHERE ({where}) AND kind IN (2, 5) AND name IS NOT NULL
GROUP BY day, service, name
HAVING count(*) >= {least}
QUALIFY row_number() OVER (PARTITION BY day ORDER BY count(*) DESC, service, name) <= {most}
