-- A page of measurements, the newest first.
SELECT * FROM ({measurements})
WHERE {kind} AND (time_ns, id) < ({before_ns}, {before_id}::UUID)
ORDER BY time_ns DESC, id DESC
LIMIT {limit}
