-- Series counted one by one, then metrics: each with what Prometheus' senders said of it.
WITH series AS (
    SELECT metric_name, metric_type, coalesce(metric_unit, '') AS unit, temporality, is_monotonic,
        coalesce(scope_name = 'prometheus', false) AS is_flat, metric_metadata AS metadata, {service} AS service,
        {series} AS series, count(*) AS points, max(time_ns) AS last_ns,
        arg_max(metric_description, time_ns) AS description
    FROM {relation}
    WHERE time_ns >= {start_ns} AND time_ns < {end_ns} AND ({wanted} = '' OR {service} = {wanted})
        AND contains(lower(metric_name), lower({text}))
    GROUP BY ALL
)
SELECT metric_name AS name, metric_type AS type, unit, is_flat,
    coalesce(bool_or(is_monotonic), false) AS is_monotonic, list_sort(list(DISTINCT temporality)) AS temporalities,
    coalesce(arg_max(description, last_ns), '') AS description,
    coalesce(arg_max(regexp_extract(metadata, '"prometheus.type":\s*"([a-z]+)"', 1), last_ns), '')
        AS told,
    count(*) AS series, sum(points)::BIGINT AS points, max(last_ns) AS last_ns,
    list_sort(list(DISTINCT service)) AS services
FROM series
GROUP BY metric_name, metric_type, unit, is_flat
ORDER BY name, type, unit
LIMIT {limit}
