-- When each service's spans last told of each kind of thing. Entries are requests that nobody else's span caused;
-- failures are those of senders that may have no way to tell of exceptions: ours has.
SELECT {service} AS service, max(start_time_ns) AS traces,
    max(start_time_ns) FILTER (kind = 2) AS requests,
    max(start_time_ns) FILTER (kind = 2 AND parent_span_id IS NULL) AS entries,
    max(start_time_ns) FILTER (kind = 5) AS tasks,
    max(start_time_ns) FILTER (kind IN (2, 5)) AS error_rates,
    max(start_time_ns) FILTER (kind = 3 AND {database} IS NOT NULL AND NOT ({is_cache})) AS queries,
    max(start_time_ns) FILTER (kind = 3 AND {database} IS NOT NULL AND NOT ({is_cache}) AND {server} IS NOT NULL) AS served,
    max(start_time_ns) FILTER (kind = 3 AND {is_cache}) AS cache_calls,
    max(start_time_ns) FILTER (status_code = 2 AND {distribution} IS DISTINCT FROM 'spanglass') AS failures,
    max(start_time_ns) FILTER ({user} IS NOT NULL) AS users,
    max(start_time_ns) FILTER ({named} IS NOT NULL) AS sessions
FROM {relation}
GROUP BY service
