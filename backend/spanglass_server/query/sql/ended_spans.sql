SELECT DISTINCT trace_id, span_id
FROM {relation}
WHERE trace_id IN {trace_ids} AND span_id IN {span_ids}
