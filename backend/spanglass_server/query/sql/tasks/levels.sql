-- Levels that senders measure, lengths of queues for example: the largest ones, as they are now and in each step. A value
-- stands until its series has the next one, but no longer than it is fresh, since senders measure at different times. What
-- all senders see alike, a broker's queue, counts once, as the largest of their values; other series are parts, added up.
WITH points AS (
    SELECT {service} AS service, {system} AS system, {queue} AS queue, {task} AS task, {state} AS state, {series} AS series,
        CASE WHEN metric_name NOT IN {shared} THEN series END AS part, list_position({names}, metric_name) AS metric,
        (time_ns - {first_ns}) // {step_ns} AS step,
        arg_max(coalesce(value_double, value_int::DOUBLE), time_ns) AS value, max(time_ns) AS last_ns
    FROM {relation}
    WHERE metric_name IN {metrics} AND time_ns >= {start_ns} AND time_ns < {end_ns} AND (coalesce(flags, 0) & 1) = 0
        AND isfinite(coalesce(value_double, value_int::DOUBLE)) AND ({where}) AND {wanted}
    GROUP BY ALL
), told AS MATERIALIZED (
    SELECT *, lead(step) OVER (PARTITION BY series ORDER BY step) AS next_step
    FROM points
    QUALIFY metric = min(metric) OVER (PARTITION BY {key})
), held AS (
    SELECT *, unnest(range(step, least(coalesce(next_step, {steps}), step + {longest}))) AS place FROM told
    UNION ALL
    SELECT *, -1 AS place FROM told WHERE next_step IS NULL AND last_ns >= {fresh_ns}
), once AS (
    SELECT service, system, queue, task, place, max(value) AS value FROM held GROUP BY service, system, queue, task, part, place
), added AS (
    SELECT {key}, place, sum(value) AS value, list(DISTINCT system) AS systems FROM once GROUP BY {key}, place
)
SELECT {key}, list_distinct(flatten(list(systems))) AS systems, any_value(value) FILTER (place = -1) AS now,
    list(place) FILTER (place >= 0) AS places, list(value) FILTER (place >= 0) AS place_values
FROM added
GROUP BY {key}
ORDER BY now DESC NULLS LAST, {key}
LIMIT {count}
