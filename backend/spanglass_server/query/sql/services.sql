-- Services apart by what their spans are: 'request', 'root' or 'other'. Only what may count as a request is measured.
-- One set of groups is each bucket of time, another the whole range, where bucket is null.
WITH spans AS (
    SELECT {service} AS service,
        CASE WHEN kind IN (2, 5) THEN 'request' WHEN parent_span_id IS NULL THEN 'root' ELSE 'other' END AS role,
        (start_time_ns - {first_ns}) // {step_ns} AS bucket,
        start_time_ns, duration_ns, status_code
    FROM {relation}
    WHERE {where}
)
SELECT service, role, bucket,
    count(*) AS spans,
    count(*) FILTER (status_code = 2) AS errors,
    quantile_cont(duration_ns, [0.5, 0.95, 0.99]) FILTER (role <> 'other') AS quantiles_ns,
    max(start_time_ns) AS last_ns
FROM spans
GROUP BY GROUPING SETS ({sets})
