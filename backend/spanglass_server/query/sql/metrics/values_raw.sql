coalesce(value_double, value_int::DOUBLE) * {factor} AS value, value_int, count, sum * {factor} AS sum,
min * {factor} AS min, max * {factor} AS max, quantiles,
list_transform(quantile_values, lambda v: v * {factor}) AS quantile_values, exemplar_time_ns,
list_transform(list_zip(exemplar_value_double, exemplar_value_int), lambda v: coalesce(v[1], v[2]::DOUBLE) * {factor})
    AS exemplar_values,
exemplar_trace_id, exemplar_span_id
