SELECT {service} AS service, {spans} AS spans, max(start_time_ns) AS last_ns
FROM {relation}
GROUP BY service
