-- Delta points are left out while their sender (one resource) also sends the metric as cumulative: since the first of
-- those points started, until the last one.
NOT (coalesce(temporality, 0) = 1 AND EXISTS (
    SELECT 1 FROM (
        SELECT hash({resource}) AS sender, max(time_ns) AS last_ns,
            min(CASE WHEN start_time_ns < time_ns THEN start_time_ns ELSE time_ns - 1 END) AS since_ns
        FROM {relation}
        WHERE {metric} AND temporality = 2 AND (coalesce(flags, 0) & 3) = 0
            AND time_ns >= {start_ns} AND time_ns < {end_ns}
        GROUP BY sender
    ) AS cumulative
    WHERE cumulative.sender = hash({resource}) AND time_ns > since_ns AND time_ns <= last_ns
))
