-- For how long stacks of each operation were there; those of threads that worked for none have none.
SELECT {service} AS service, coalesce({operation}, {span}) AS operation, {sums}
FROM {relation}
WHERE {where}
GROUP BY ALL
ORDER BY {weight} DESC, service, operation
LIMIT {count}
