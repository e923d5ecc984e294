-- Both sides of queues: those that metrics tell of, and of the others those with the most runs, and how many there are.
WITH sides AS (
    SELECT {service} AS service, {system} AS system, {queue} AS queue, {is_run} AS is_run, {spans} AS spans, {errors} AS errors
    FROM {relation}
    WHERE ({where}) AND (kind = 4 OR ({is_run})) AND queue <> ''
    GROUP BY service, system, queue, is_run
), queues AS (
    SELECT queue, list(DISTINCT system) AS systems, bool_or(service = {service_asked}) AS is_of_service,
        coalesce(list(DISTINCT service) FILTER (NOT is_run), []) AS senders,
        coalesce(list(DISTINCT service) FILTER (is_run), []) AS consumers,
        (sum(spans) FILTER (NOT is_run))::BIGINT AS sent,
        coalesce(sum(spans) FILTER (is_run), 0)::BIGINT AS processed, coalesce(sum(errors) FILTER (is_run), 0)::BIGINT AS failed
    FROM sides
    GROUP BY queue
), ranked AS (
    SELECT *, (sum(is_other::INTEGER) OVER ())::BIGINT AS others,
        row_number() OVER (ORDER BY is_other DESC, processed DESC, sent DESC NULLS LAST, queue) AS place
    FROM (
        SELECT *, is_unnamed AND ({service_asked} = '' OR is_of_service) AND ({queue_asked} = '' OR queue = {queue_asked}) AS is_other
        FROM (SELECT *, queue NOT IN (SELECT queue FROM {named}) AS is_unnamed FROM queues)
    )
)
SELECT * FROM ranked WHERE NOT is_unnamed OR (is_other AND place <= {count})
