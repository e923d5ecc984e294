SELECT DISTINCT trace_id FROM {relation} WHERE {where}
