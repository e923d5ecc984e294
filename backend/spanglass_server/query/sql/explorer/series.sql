-- The series of some metrics in a range and in the one before it, with their attributes.
SELECT is_before{kept} FROM (
    SELECT {series} AS series, time_ns < {start_ns} AS is_before{attributes}
    FROM {relation}
    WHERE metric_name IN {names} AND time_ns >= {from_ns} AND time_ns < {end_ns} AND ({filter})
) GROUP BY series, is_before
