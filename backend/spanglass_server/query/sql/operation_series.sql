SELECT (start_time_ns - {first_ns}) // {step_ns} AS bucket,
    count(*) AS spans,
    count(*) FILTER (status_code = 2) AS errors,
    quantile_cont(duration_ns, [0.5, 0.95, 0.99]) AS quantiles_ns
FROM {relation}
WHERE {where}
GROUP BY bucket
