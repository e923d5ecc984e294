-- Runs of tasks by who ran what from which queue, in all and in each step.
SELECT {service} AS service, {system} AS system, {queue} AS queue, {task} AS task,
    (start_time_ns - {first_ns}) // {step_ns} AS step, any_value(name) AS operation, {spans} AS runs, {errors} AS failed,
    {stored} AS stored, approx_quantile(duration_ns, [0.5, 0.95]) AS took_ns,
    max(start_time_ns) AS last_ns
FROM {relation}
WHERE {where} AND {is_run}
GROUP BY GROUPING SETS ((service, system, queue, task), (service, system, queue, task, step))
