coalesce(value_double, value_int::DOUBLE, sum) * {factor} AS value
