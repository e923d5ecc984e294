-- Occurrences of some keys in the order of time.
SELECT *
FROM (SELECT {columns}, {digest} AS digest FROM {relation} WHERE issue_key IN {keys})
WHERE {bounds}
ORDER BY time_ns {direction}, digest {direction}
LIMIT {count}
