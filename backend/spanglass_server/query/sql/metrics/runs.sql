(SELECT *, NULL::BIGINT AS gap_ns FROM runs)
