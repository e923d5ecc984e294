coalesce(value_double, value_int::DOUBLE) * {factor} AS value
