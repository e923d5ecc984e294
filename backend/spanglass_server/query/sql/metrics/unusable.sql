-- Points with a value that cannot be added up, one row each at its step.
UNION ALL BY NAME
SELECT *, (time_ns - 1) // {step_ns} * {step_ns} AS step, true AS is_last, true AS is_unusable
FROM points WHERE NOT is_gap AND NOT is_usable AND time_ns > {start_ns} AND time_ns <= {end_ns}
