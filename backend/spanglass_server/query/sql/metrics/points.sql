-- A metric's points: their series, groups and times, and the values that are asked for.
SELECT {series} AS series, {groups} coalesce(start_time_ns, 0) AS start_ns, time_ns,
    coalesce(temporality = 1, false) AS is_delta, (coalesce(flags, 0) & 1) = 1 AS is_gap, {values}
FROM {relation}
WHERE {metric} AND {gaps} AND time_ns >= {start_ns} AND time_ns < {end_ns} AND ({filter}) AND {chosen}
