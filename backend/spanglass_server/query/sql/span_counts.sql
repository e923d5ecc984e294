SELECT (start_time_ns - {first_ns}) // {step_ns} AS bucket, {spans} AS spans, {errors} AS errors,
    {stored} AS stored
FROM {relation}
WHERE {where}
GROUP BY bucket
