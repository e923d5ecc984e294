-- Runs of some tasks in each step.
SELECT service, system, queue, task, step, {spans} AS runs, {errors} AS failed
FROM (
    SELECT *, {service} AS service, {system} AS system, {queue} AS queue, {task} AS task,
        (start_time_ns - {first_ns}) // {step_ns} AS step
    FROM {relation}
    WHERE ({where}) AND ({is_run})
) SEMI JOIN {shown} AS shown USING (service, system, queue, task)
GROUP BY service, system, queue, task, step
