-- From when to when each release, instance ... was seen.
SELECT {kind} AS kind, {value} AS value, min(seen_ns) AS first_ns, max(seen_ns) AS last_ns, count(*) AS records
FROM (SELECT {time} AS seen_ns, {selected} FROM {relation} WHERE {where})
GROUP BY GROUPING SETS ({sets})
HAVING value IS NOT NULL
ORDER BY first_ns DESC, kind, value
LIMIT {count}
