count AS n, CASE WHEN isfinite(sum) THEN sum * {factor} END AS total, true AS is_usable
