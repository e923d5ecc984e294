SELECT name AS operation, kind,
    count(*) AS requests,
    count(*) FILTER (status_code = 2) AS errors,
    quantile_cont(duration_ns, [0.5, 0.95, 0.99]) AS quantiles_ns,
    least(sum(duration_ns), 9223372036854775807)::BIGINT AS total_ns
FROM {relation}
WHERE {where}
GROUP BY name, kind
ORDER BY {order} DESC, name, kind
LIMIT {count}
