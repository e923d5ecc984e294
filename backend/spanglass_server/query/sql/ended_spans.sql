SELECT DISTINCT trace_id, {identity}
FROM {relation}
WHERE trace_id IN {trace_ids} AND span_id IN {span_ids}
