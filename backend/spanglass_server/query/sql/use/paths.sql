-- Requests by what they asked for.
SELECT {service} AS service, coalesce(name, '') AS name, {route} AS route, {spans} AS requests, {errors} AS errors,
    {stored} AS stored, count(DISTINCT {user}) AS users, count(DISTINCT {session}) AS sessions,
    approx_quantile(duration_ns, 0.95) AS p95_ns
FROM {relation}
WHERE {where} AND kind = 2
GROUP BY {service}, coalesce(name, ''), route
ORDER BY requests DESC, service, name, route
LIMIT {count}
