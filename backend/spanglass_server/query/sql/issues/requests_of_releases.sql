-- Requests of each release, and those that failed: by their status, or by an exception of their service that nobody
-- handled. Each counts as often as it stands for.
WITH crashed AS (
    SELECT DISTINCT trace_id, service_name FROM {occurrences}
    WHERE handled = false AND trace_id IS NOT NULL
)
SELECT service, release,
    round(sum(weight))::BIGINT AS requests,
    round(coalesce(sum(weight) FILTER (status_code = 2 OR crashed.trace_id IS NOT NULL), 0))::BIGINT AS failed
FROM (
    SELECT {service} AS service, coalesce("resource.service.version:str", '') AS release, status_code, trace_id,
        {weight} AS weight
    FROM {relation}
    WHERE kind IN (2, 5)
) AS requests LEFT JOIN crashed ON crashed.trace_id = requests.trace_id AND crashed.service_name = requests.service
WHERE {only}
GROUP BY service, release
