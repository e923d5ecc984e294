-- What services did in each minute: four measurements of each, read off the spans of their requests, each as often as it stands for.
WITH minutes AS (
    SELECT {service} AS service, {host} AS host,
        (start_time_ns // 60000000000 + 1) * 60000000000 AS time_ns,
        round(sum({weight}))::DOUBLE AS requests,
        coalesce(sum({weight}) FILTER (status_code = 2), 0)::DOUBLE / sum({weight}) AS errors,
        sum({weight} * duration_ns::DOUBLE) / sum({weight}) / 1e9 AS mean_s,
        nullif(count(DISTINCT {user}), 0)::DOUBLE AS users
    FROM {relation}
    WHERE kind IN (2, 5) AND ({where})
    GROUP BY ALL
), measured AS (
    SELECT service, host, time_ns, unnest([
        struct_pack(metric_type := 'request', value := requests, unit := '1'),
        struct_pack(metric_type := 'response_time', value := mean_s, unit := 's'),
        struct_pack(metric_type := 'error_rate', value := errors, unit := '1'),
        struct_pack(metric_type := 'user_count', value := users, unit := '1')
    ], recursive := true)
    FROM minutes
)
SELECT
    md5(concat_ws(chr(31), metric_type, service, host, time_ns))::UUID AS id,
    metric_type, metric_type AS name, value, unit, make_timestamp_ns(time_ns) AS timestamp, time_ns, service, host,
    service AS source,
    json_merge_patch('{}'::JSON, json_object('service.name', service, 'host.name', host)) AS dimensions
FROM measured
WHERE value IS NOT NULL
