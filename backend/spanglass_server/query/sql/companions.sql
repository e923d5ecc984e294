-- Services that have spans in the newest traces of one service.
WITH spans AS (SELECT trace_id, start_time_ns, {service} AS service FROM {relation}),
newest AS (
    SELECT trace_id FROM spans WHERE service = {own_name} GROUP BY trace_id ORDER BY max(start_time_ns) DESC LIMIT {count}
)
SELECT DISTINCT service FROM spans WHERE trace_id IN (SELECT trace_id FROM newest) AND service <> {own_name}
