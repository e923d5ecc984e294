-- Spans by step of time and level of duration: so many levels for each factor of ten.
SELECT
    (start_time_ns - {first_ns}) // {step_ns} AS step,
    CAST(floor(log10(greatest(duration_ns, 1)) * {levels}) AS INTEGER) AS level,
    count(*) AS spans,
    count(*) FILTER (status_code = 2) AS errors
FROM {relation}
WHERE {where}
GROUP BY step, level
