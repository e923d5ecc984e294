-- The resources of a part, by rising number.
SELECT {columns}
FROM (SELECT *, {stream} AS stream FROM {relation} WHERE scope_name IS DISTINCT FROM {scope})
GROUP BY stream
ORDER BY stream
