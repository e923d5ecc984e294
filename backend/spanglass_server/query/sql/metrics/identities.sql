-- The stored identities of some names: how many points with a value each has in the range, and around it; markers.
SELECT metric_name AS name, coalesce(metric_unit, '') AS unit, metric_type AS type,
    coalesce(temporality, 0) AS temporality, coalesce(is_monotonic, false) AS is_monotonic,
    count(*) FILTER ((coalesce(flags, 0) & 3) = 0 AND time_ns >= {start_ns} AND time_ns < {end_ns}) AS points,
    count(*) FILTER ((coalesce(flags, 0) & 3) = 0) AS points_around,
    count(*) FILTER ((coalesce(flags, 0) & 1) = 1) AS markers
FROM {relation}
WHERE metric_name IN {names} AND time_ns >= {from_ns} AND time_ns < {to_ns} AND ({filter})
GROUP BY ALL
ORDER BY points DESC, points_around DESC, name, unit, type, temporality, is_monotonic
