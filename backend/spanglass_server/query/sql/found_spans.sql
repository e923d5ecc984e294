SELECT {value} AS value, trace_id, span_id, start_time_ns
FROM {relation}
WHERE {where} AND {after}
ORDER BY value {direction}, trace_id {direction}, span_id {direction}
LIMIT {count}
