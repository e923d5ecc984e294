SELECT {keys},
    count(*) AS requests,
    count(*) FILTER (status_code = 2) AS errors,
    quantile_cont(duration_ns, [0.5, 0.95, 0.99]) AS quantiles_ns,
    max(start_time_ns) AS last_ns
FROM {relation}
WHERE {where}
GROUP BY {names}
ORDER BY requests DESC, {names}
LIMIT {count}
