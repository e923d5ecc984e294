-- The occurrences that some records tell, or of some traces.
SELECT {columns}, {digest} AS digest
FROM {relation}
WHERE {where}
ORDER BY time_ns
LIMIT {count}
