SELECT DISTINCT unnest(exemplar_trace_id) AS trace_id FROM {relation} WHERE exemplar_trace_id IS NOT NULL
