-- Points of hosts and processes under one name each, with who sent them and what part of a whole they are.
SELECT coalesce({host}, '') AS host, {service} AS service, {pid} AS pid, hash({resource}) AS sender,
    {metric} AS metric, coalesce({state}, '') AS state, coalesce({part}, '') AS part, {series} AS series,
    metric_type = 'sum' AND coalesce(is_monotonic OR temporality = 1, false) AS rises, temporality = 1 AS is_delta,
    coalesce(value_double, value_int::DOUBLE) AS value, time_ns, {about}
FROM {relation}
WHERE metric_name IN {names} AND time_ns >= {start_ns} AND time_ns < {end_ns} AND (coalesce(flags, 0) & 1) = 0
    AND metric_type IN ('gauge', 'sum') AND isfinite(coalesce(value_double, value_int::DOUBLE))
    AND coalesce({type}, '') NOT IN {pseudo} AND {only}
