-- Requests of each release, and those that failed: by their status, or by an exception of their service that nobody
-- handled.
WITH crashed AS (
    SELECT DISTINCT trace_id, service_name FROM {occurrences}
    WHERE handled = false AND trace_id IS NOT NULL
)
SELECT service, release,
    count(*) AS requests,
    count(*) FILTER (status_code = 2 OR crashed.trace_id IS NOT NULL) AS failed
FROM (
    SELECT {service} AS service, coalesce("resource.service.version:str", '') AS release, status_code, trace_id
    FROM {relation}
    WHERE kind IN (2, 5)
) AS requests LEFT JOIN crashed ON crashed.trace_id = requests.trace_id AND crashed.service_name = requests.service
WHERE {only}
GROUP BY service, release
