SELECT (start_time_ns - {first_ns}) // {step_ns} AS bucket, count(*) AS spans, count(*) FILTER (status_code = 2) AS errors
FROM {relation}
WHERE {where}
GROUP BY bucket
