exemplar_time_ns, exemplar_trace_id, exemplar_span_id,
list_transform(list_zip(exemplar_value_double, exemplar_value_int), lambda v: coalesce(v[1], v[2]::DOUBLE) * {factor})
    AS exemplar_values
