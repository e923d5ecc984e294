-- Old names of services that also send the asked one are left out: while migrating, both carry the same events.
(metric_name = {asked} OR hash({resource}) NOT IN (
    SELECT hash({resource}) FROM {relation} WHERE metric_name = {asked} AND time_ns >= {start_ns} AND time_ns < {end_ns}
))
