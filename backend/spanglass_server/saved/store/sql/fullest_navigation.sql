-- how many other views stand in the navigation of the reader who has most, of those who would see one more
SELECT coalesce(sum(shared), 0) + coalesce((
    SELECT max(own)
    FROM (
        SELECT count(*) AS own
        FROM views
        WHERE pinned AND NOT shared AND id <> :id AND (:shared OR owner = :owner)
        GROUP BY owner
    )
), 0)
FROM views
WHERE pinned AND shared AND id <> :id
