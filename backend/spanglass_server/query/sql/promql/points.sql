-- The points of one metric: the number of the stream, the time, whether it ends there, since when, and the values.
SELECT {stream} AS stream, time_ns // 1000000 AS time_ms, coalesce(flags & 1, 0) = 1 AS is_stale, ({start})::BIGINT AS start_ms,
    {values}
FROM {relation}
WHERE {chosen} AND ({is_there} OR coalesce(flags & 1, 0) = 1)
