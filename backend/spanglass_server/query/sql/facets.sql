-- All keys in one pass over the records: each grouping set counts one key's values. "grouped" has a bit for every key,
-- the first key's highest, which is 0 for the key that is counted in the row.
WITH counted AS (
    SELECT {names}, grouping({names}) AS grouped, count(*) AS records
    FROM (SELECT {keys} FROM {relation} WHERE {where})
    GROUP BY GROUPING SETS ({sets})
),
ranked AS (
    SELECT *,
        row_number() OVER (PARTITION BY grouped ORDER BY {is_missing}, records DESC, {names}) AS place,
        count(*) OVER (PARTITION BY grouped) AS groups,
        sum(records) OVER (PARTITION BY grouped) AS total
    FROM counted
)
SELECT * FROM ranked
WHERE place <= {count} OR {is_missing}
ORDER BY grouped, place
