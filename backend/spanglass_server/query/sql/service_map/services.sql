-- Spans of services: requests that they answered, and others, which say that there is such a service.
SELECT {service} AS service, coalesce(kind IN (2, 5), false) AS are_requests, {spans} AS calls, {errors} AS errors,
    {stored} AS stored, quantile_disc(duration_ns, {points}) FILTER (kind IN (2, 5)) AS points
FROM {relation}
WHERE {where}
GROUP BY ALL
ORDER BY are_requests DESC, calls DESC
LIMIT {count}
