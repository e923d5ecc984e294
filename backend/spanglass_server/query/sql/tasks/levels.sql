-- Levels that senders measure, lengths of queues for example: of each series the last value of every step.
SELECT {system} AS system, {queue} AS queue, {task} AS task, {service} AS service, {state} AS state,
    metric_name AS metric,
    {series} AS series, (time_ns - {first_ns}) // {step_ns} AS step,
    arg_max(coalesce(value_double, value_int::DOUBLE), time_ns) AS value, max(time_ns) AS last_ns
FROM {relation}
WHERE metric_name IN {names} AND time_ns >= {start_ns} AND time_ns < {end_ns} AND (coalesce(flags, 0) & 1) = 0
    AND isfinite(coalesce(value_double, value_int::DOUBLE)) AND ({where})
GROUP BY ALL
ORDER BY step
LIMIT {count}
