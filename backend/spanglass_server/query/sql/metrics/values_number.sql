coalesce(value_double, value_int::DOUBLE) * {factor} AS value, {whole} AS whole, isfinite(value) AS is_usable
