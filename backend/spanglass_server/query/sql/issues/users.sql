-- Users of each issue, for sorting by them. A user may have met several keys of one issue.
LEFT JOIN (
    SELECT id, count(DISTINCT "user") AS users
    FROM (SELECT DISTINCT issue_key, "user" FROM {relation} WHERE {where}) JOIN {issues} AS known USING (issue_key)
    GROUP BY id
) AS by_user USING (id)
