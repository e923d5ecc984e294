SELECT id, kind, service, start_ns, end_ns, state, created_ns, done_ns, attempts, actor, error, bytes
FROM reports
WHERE id = ?
