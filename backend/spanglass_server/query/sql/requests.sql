-- What services did: one set of groups is each bucket of time, another the whole range, where bucket is null.
WITH requests AS (
    SELECT {service} AS service, {bucket} AS bucket, duration_ns, status_code
    FROM {relation}
    WHERE {where}
)
SELECT service, bucket,
    count(*) AS requests,
    count(*) FILTER (status_code = 2) AS errors,
    quantile_cont(duration_ns, [0.5, 0.95, 0.99]) AS quantiles_ns
FROM requests
GROUP BY GROUPING SETS ({sets})
