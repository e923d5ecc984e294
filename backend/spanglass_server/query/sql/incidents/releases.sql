-- When the first span of each release of some services began, and the first without one.
SELECT {service} AS service, {release} AS release, min(start_time_ns) AS first_ns
FROM {relation}
WHERE {service} IN {names}
GROUP BY ALL
