CASE WHEN isfinite(min) THEN min * {factor} END AS low, CASE WHEN isfinite(max) THEN max * {factor} END AS high
