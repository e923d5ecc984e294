-- What is stored of each key, by release and environment; the texts are those of the first occurrence.
SELECT
    issue_key, service_name,
    coalesce(release, '') AS release, coalesce(environment, '') AS environment,
    min(time_ns) AS first_ns, max(time_ns) AS last_ns,
    arg_min(coalesce(type, ''), time_ns) AS type,
    arg_min(coalesce(message, ''), time_ns) AS message,
    arg_min(coalesce(culprit, ''), time_ns) AS culprit
FROM {occurrences}
WHERE NOT list_contains({known}::BIGINT[], issue_key)
GROUP BY ALL
