-- Messages that were sent, by queue and who sent them.
SELECT {service} AS service, {system} AS system, {queue} AS queue, {spans} AS sent, max(start_time_ns) AS last_ns
FROM {relation}
WHERE {where} AND kind = 4
GROUP BY ALL
