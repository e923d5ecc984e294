-- The latest occurrences.
SELECT {columns}
FROM {relation}
WHERE {where}
ORDER BY time_ns DESC
LIMIT {count}
