-- Calls that spans tell of, by caller and whom they name.
SELECT {keys}, {spans} AS calls, {errors} AS errors, {stored} AS stored, quantile_disc(duration_ns, {points}) AS points
FROM {relation}
WHERE {where}
GROUP BY ALL
ORDER BY calls DESC
LIMIT {count}
