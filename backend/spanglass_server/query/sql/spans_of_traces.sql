SELECT * FROM {relation} WHERE {where} AND trace_id IN {trace_ids}
