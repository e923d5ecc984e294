SELECT CAST(({time} - {first_ns}) // {step_ns} AS INTEGER) AS bucket, {keys} CAST({value} AS DOUBLE) AS value
FROM {relation}
WHERE {where}
GROUP BY ALL
ORDER BY value DESC NULLS LAST
LIMIT {count}
