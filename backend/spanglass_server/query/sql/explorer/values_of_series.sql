-- Which values the attributes of some series have: for each the number of series, in a range and in the one before.
WITH series AS ({series}),
valued AS (SELECT is_before, unnest({names}) AS attribute, unnest([{values}]) AS value FROM series),
counted AS (
    SELECT attribute, value, count(*) FILTER (NOT is_before) AS series, count(*) FILTER (is_before) AS series_before
    FROM valued WHERE value IS NOT NULL GROUP BY attribute, value
)
SELECT attribute, count(*) FILTER (series > 0) AS distinct_values,
    count(*) FILTER (series_before > 0) AS distinct_before,
    count(*) FILTER (series > 0 AND series_before = 0) AS new_values, sum(series)::BIGINT AS series,
    list(struct_pack(value := value, series := series, series_before := series_before)
        ORDER BY series DESC, value)[:{most}] AS top
FROM counted
GROUP BY attribute
HAVING sum(series) > 0
ORDER BY distinct_values DESC, attribute
