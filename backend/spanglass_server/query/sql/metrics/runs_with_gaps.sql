-- The last marker up to each point.
(
    SELECT runs.*, gaps.time_ns AS gap_ns
    FROM runs ASOF LEFT JOIN (SELECT series, time_ns FROM points WHERE is_gap) AS gaps
        ON runs.series = gaps.series AND runs.time_ns >= gaps.time_ns
)
