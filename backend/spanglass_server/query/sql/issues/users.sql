-- Users of each issue, for sorting by them. A user may have met several keys of one issue. By the hash of their names:
-- of 100 000 users two have the same once in four billion lists.
LEFT JOIN (
    SELECT number, count(*) AS users
    FROM (
        SELECT DISTINCT number, hash("user") AS who
        FROM {relation} JOIN {issues} AS known USING (issue_key)
        WHERE "user" IS NOT NULL AND ({where})
    )
    GROUP BY number
) AS by_user USING (number)
