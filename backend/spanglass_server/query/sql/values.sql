SELECT value, count(*) AS records
FROM (SELECT {value} AS value FROM {relation} WHERE {where})
WHERE value IS NOT NULL AND starts_with(lower(CAST(value AS VARCHAR)), lower({prefix}))
GROUP BY value
ORDER BY records DESC, value
LIMIT {count}
