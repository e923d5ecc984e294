-- Traces with a matching span, by a figure of the whole trace.
WITH matching AS (
    SELECT DISTINCT trace_id
    FROM {matching}
    WHERE {where}
), measured AS (
    SELECT trace_id, min(start_time_ns) AS start_time_ns, {figure} AS value
    FROM {relation}
    WHERE trace_id IN (SELECT trace_id FROM matching)
    GROUP BY trace_id
)
SELECT trace_id, start_time_ns, value
FROM measured
WHERE {after}
ORDER BY value {direction}, trace_id {direction}
LIMIT {count}
