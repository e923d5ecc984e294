-- What was raised, by key of issues.
SELECT
    issue_key,
    count(*) AS events,
    count(DISTINCT trace_id) AS traces,
    max(time_ns) AS last_ns,
    arg_max(message, time_ns) AS message
FROM {relation}
WHERE {where}
GROUP BY issue_key
ORDER BY events DESC, issue_key
LIMIT {count}
