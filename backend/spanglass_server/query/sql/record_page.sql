-- Whole records of a page. Equal times are told apart by a digest of the record; records that are equal in everything
-- stand side by side, and the cursor counts them.
SELECT * FROM (SELECT *, {identity} AS identity FROM {relation} WHERE {where})
WHERE {after}
ORDER BY time_ns {direction}, identity {direction}
LIMIT {count}
