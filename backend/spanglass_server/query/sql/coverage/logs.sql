-- When each service's log records last told of each kind of thing.
SELECT {service} AS service, max(time_ns) AS logs,
    max(time_ns) FILTER ({is_event}) AS actions,
    max(time_ns) FILTER ({user} IS NOT NULL) AS users,
    max(time_ns) FILTER ({named} IS NOT NULL) AS sessions
FROM {relation}
WHERE {where}
GROUP BY service
