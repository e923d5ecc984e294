-- Requests by what they asked for, those first of which users are known.
SELECT {service} AS service, coalesce(name, '') AS name, {route} AS route, {spans} AS requests, {errors} AS errors,
    {stored} AS stored, count(DISTINCT {user}) AS users, count(DISTINCT {session}) AS sessions,
    approx_quantile(duration_ns, 0.95) AS p95_ns
FROM {relation}
WHERE {where} AND kind = 2
GROUP BY {service}, coalesce(name, ''), route
ORDER BY users > 0 DESC, requests DESC, service, name, route
LIMIT {count}
