-- Records of a kind, the bad ones of a stretch told from the others; those that were bad before it are neither.
(
    SELECT {columns}{is_bad} AS is_bad
    FROM {relation}
    WHERE ({where}) AND NOT coalesce({time} < {start_ns} AND ({bad}), false)
)
