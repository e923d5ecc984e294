-- Tasks by who ran what from which queue: those with the most runs that are asked for, how many there are, and what
-- tells whether a task of metrics has spans. Names may hold ids, so nothing dear is computed of all of them.
WITH tasks AS (
    SELECT {service} AS service, {system} AS system, {queue} AS queue, {task} AS task, any_value(name) AS operation,
        {spans} AS runs, {errors} AS failed, {stored} AS stored, max(start_time_ns) AS last_ns
    FROM {relation}
    WHERE ({where}) AND ({is_run})
    GROUP BY service, system, queue, task
), ranked AS (
    SELECT *, (sum(is_wanted::INTEGER) OVER ())::BIGINT AS total,
        row_number() OVER (ORDER BY is_wanted DESC, runs DESC, service, system, queue, task) AS place,
        row_number() OVER (PARTITION BY service, queue ORDER BY task) AS nth
    FROM (SELECT *, {wanted} AS is_wanted FROM tasks)
)
SELECT * EXCLUDE (place, nth) FROM ranked
WHERE (is_wanted AND place <= {count})
    OR (service, system, queue, task) IN (SELECT (service, system, queue, task) FROM {measured})
    OR (nth = 1 AND (service, queue) IN (SELECT (service, queue) FROM {measured}))
