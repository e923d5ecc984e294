-- The first marker after a series' last value.
(
    SELECT followed.*, gaps.time_ns AS ended_ns
    FROM followed ASOF LEFT JOIN (SELECT series, time_ns FROM points WHERE is_gap) AS gaps
        ON followed.series = gaps.series AND followed.last_ns <= gaps.time_ns
)
