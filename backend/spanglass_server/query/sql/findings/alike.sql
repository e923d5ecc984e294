-- How many requests that are told of, or calls in them, are like those of some places, slow or not.
WITH here AS (
    SELECT
        service, request_name AS operation, unnest([
            {'kind': 'gap', 'subject': CASE WHEN row = request THEN name END},
            {'kind': 'queue_wait', 'subject': CASE WHEN sent_ns >= 0 THEN name END},
            {'kind': 'slow_query', 'subject': shape},
            {'kind': 'slow_call', 'subject': concat_ws(' ', method, host || path_shape)},
            {'kind': 'lock_wait', 'subject': coalesce(shape, name)}
        ], recursive := true)
    FROM {spans}
    WHERE service IN (SELECT service FROM {places})
        AND request IN (SELECT row FROM {spans} WHERE is_told AND start_ns // 60000000000 NOT IN (FROM {busy}))
)
SELECT kind, service, operation, subject, count(*) AS alike
FROM here
SEMI JOIN {places} USING (kind, service, operation, subject)
GROUP BY ALL
