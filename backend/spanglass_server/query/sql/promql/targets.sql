-- When each resource sent points, once in so much time.
SELECT {stream} AS stream, max(time_ns) // 1000000 AS time_ms
FROM {relation}
WHERE scope_name IS DISTINCT FROM {scope}
GROUP BY stream, time_ns // {every_ns}
ORDER BY stream, time_ms
