(SELECT *, NULL::BIGINT AS ended_ns FROM followed)
