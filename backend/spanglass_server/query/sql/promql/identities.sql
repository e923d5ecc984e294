-- The metrics of a part, each with what was told of it last.
SELECT metric_name AS name, coalesce(metric_unit, '') AS unit, metric_type AS type,
    coalesce(temporality, 0) AS temporality, coalesce(is_monotonic, false) AS is_monotonic,
    scope_name IS NOT DISTINCT FROM {scope} AS is_verbatim, count(*) AS points,
    coalesce(max(metric_description), '') AS description, coalesce(max(metric_metadata), '') AS metadata
FROM {relation}
GROUP BY ALL
