-- Data points as measurements: what kind each is of is read off the metric's name.
SELECT
    md5(concat_ws(chr(31), metric_name, dimensions, time_ns, start_time_ns))::UUID AS id,
    metric_type, name, value, unit, timestamp, time_ns, service, host, source, dimensions
FROM (
    SELECT metric_name, time_ns, start_time_ns,
        {kind} AS metric_type,
        metric_name AS name,
        coalesce(value_double, value_int::DOUBLE, sum / nullif(count, 0)) AS value,
        coalesce(metric_unit, '') AS unit,
        make_timestamp_ns(time_ns) AS timestamp,
        nullif({service}, 'unknown_service') AS service,
        {host} AS host,
        coalesce(nullif({service}, 'unknown_service'), {host}, scope_name) AS source,
        {dimensions} AS dimensions
    FROM {relation}
    WHERE (coalesce(flags, 0) & 1) = 0 AND ({where})
)
WHERE value IS NOT NULL
