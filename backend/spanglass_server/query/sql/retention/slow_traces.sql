-- Traces with a request that took longer than 99 of 100 of its operation that day.
SELECT DISTINCT trace_id
FROM {relation} JOIN {bounds} ON bound_service = {service} AND bound_name = name AND bound_day = start_time_ns // {day_ns}
WHERE ({where}) AND kind IN (2, 5) AND duration_ns > bound_ns
