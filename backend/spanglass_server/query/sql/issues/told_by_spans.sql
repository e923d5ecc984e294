source = 0 AND (trace_id, span_id) IN (SELECT (trace_id, span_id) FROM {relation} WHERE {where})
