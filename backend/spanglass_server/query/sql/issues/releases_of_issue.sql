-- Events of an issue by key, and by release: newest release first.
SELECT grouping(release) = 1 AS by_key, issue_key, release,
    count(*) AS events, min(time_ns) AS first_ns, max(time_ns) AS last_ns
FROM {relation}
WHERE issue_key IN {keys} AND ({where})
GROUP BY GROUPING SETS ((issue_key), (release))
ORDER BY first_ns DESC
