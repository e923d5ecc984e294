-- The time of the last measurement of a page, so that only measurements from then on are worked out.
SELECT min(time_ns) AS time_ns FROM (
    SELECT time_ns FROM {relation} WHERE ({where}) AND time_ns <= {before_ns} ORDER BY time_ns DESC LIMIT {limit}
)
