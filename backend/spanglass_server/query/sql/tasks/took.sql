-- How long runs of some tasks took.
SELECT service, system, queue, task, approx_quantile(duration_ns, [0.5, 0.95]) AS took_ns
FROM (
    SELECT {service} AS service, {system} AS system, {queue} AS queue, {task} AS task, duration_ns
    FROM {relation}
    WHERE ({where}) AND ({is_run})
) SEMI JOIN {shown} AS shown USING (service, system, queue, task)
GROUP BY service, system, queue, task
