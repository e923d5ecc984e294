-- How many spans are selected and how many are not, and how many of each failed.
SELECT is_selected, count(*) AS spans, count(*) FILTER (status_code = 2) AS errors
FROM (
    SELECT status_code, coalesce({selected}, false) AS is_selected
    FROM {relation}
    WHERE ({where}) AND (coalesce({selected}, false) OR coalesce({baseline}, false))
)
GROUP BY is_selected
