-- Every series of a part, whatever its metric, with the times of its first and last point.
SELECT name, unit, type, temporality, is_monotonic, is_verbatim, layout,
    hash(name, unit, type, temporality, is_monotonic, is_verbatim) AS metric,
    {columns},
    any_value(explicit_bounds) AS bounds, any_value(quantiles) AS quantiles,
    min(time_ns) // 1000000 AS first_ms, max(time_ns) // 1000000 AS last_ms
FROM (
    SELECT * REPLACE (coalesce(temporality, 0) AS temporality, coalesce(is_monotonic, false) AS is_monotonic),
        metric_name AS name, coalesce(metric_unit, '') AS unit, metric_type AS type,
        scope_name IS NOT DISTINCT FROM {scope} AS is_verbatim,
        hash(len(explicit_bounds), explicit_bounds, len(quantiles), quantiles) AS layout, {stream} AS stream
    FROM {relation}
    WHERE coalesce(value_double, value_int, count, flags) IS NOT NULL
)
GROUP BY name, unit, type, temporality, is_monotonic, is_verbatim, layout, stream
