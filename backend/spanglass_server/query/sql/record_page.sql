-- Whole records of a page. Equal times are in the order of arrival, and records that have none are told apart by a
-- digest; those that are equal in everything stand side by side, and the cursor counts them.
SELECT *{shown} FROM (
    SELECT *, CASE WHEN arrived > 0 THEN 0::UBIGINT ELSE {identity} END AS identity
    FROM (SELECT *, {arrival} AS arrived FROM {relation} WHERE {where})
)
WHERE {after}
ORDER BY time_ns {direction}, arrived {direction}, identity {direction}
LIMIT {count}
