SELECT (time_ns - {first_ns}) // {step_ns} AS bucket, {severity} AS severity, count(*) AS records
FROM {relation}
WHERE {where}
GROUP BY ALL
