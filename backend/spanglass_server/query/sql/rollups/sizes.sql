-- How many points each metric has.
SELECT metric_name AS name, count(*) AS n FROM {relation} GROUP BY ALL ORDER BY name
