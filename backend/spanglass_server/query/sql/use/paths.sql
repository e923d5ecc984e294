-- Requests by what they asked for, those first of which users are known. Names may hold ids, so times are those of what is
-- shown.
WITH asked AS (
    SELECT *, {service} AS service, coalesce(name, '') AS operation, {route} AS route, {user} AS user_id,
        {session} AS session_id
    FROM {relation}
    WHERE ({where}) AND kind = 2
), shown AS MATERIALIZED (
    SELECT service, operation, route, {spans} AS requests, {errors} AS errors, {stored} AS stored,
        count(DISTINCT user_id) AS users, count(DISTINCT session_id) AS sessions
    FROM asked
    GROUP BY service, operation, route
    ORDER BY users > 0 DESC, requests DESC, service, operation, route
    LIMIT {count}
), took AS (
    SELECT service, operation, route, approx_quantile(duration_ns, 0.95) AS p95_ns
    FROM (SELECT * REPLACE (coalesce(route, '') AS route) FROM asked)
        SEMI JOIN (SELECT service, operation, coalesce(route, '') AS route FROM shown) USING (service, operation, route)
    GROUP BY service, operation, route
)
SELECT shown.*, p95_ns
FROM shown LEFT JOIN took ON shown.service = took.service AND shown.operation = took.operation
    AND coalesce(shown.route, '') = took.route
ORDER BY users > 0 DESC, requests DESC, service, operation, shown.route
