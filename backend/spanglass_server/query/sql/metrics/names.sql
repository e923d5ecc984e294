-- The names of metrics, each with its types, units and temporalities apart, and the newest description.
SELECT metric_name AS name, metric_type AS type, coalesce(metric_unit, '') AS unit,
    coalesce(arg_max(metric_description, time_ns), '') AS description, temporality, is_monotonic, count(*) AS points,
    list_sort(list(DISTINCT {service})) AS services
FROM {relation}
WHERE time_ns >= {start_ns} AND time_ns < {end_ns} AND starts_with(metric_name, {prefix})
    AND ({wanted} = '' OR {service} = {wanted})
GROUP BY metric_name, metric_type, coalesce(metric_unit, ''), temporality, is_monotonic
ORDER BY name, type, unit, temporality, is_monotonic
LIMIT {limit}
