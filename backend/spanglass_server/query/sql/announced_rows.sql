-- Whole records of announcements, the newest of each span first among its own.
SELECT *
FROM {relation}
WHERE event_name = {event} AND trace_id = {trace_id} AND span_id IN {span_ids}
ORDER BY time_ns DESC
