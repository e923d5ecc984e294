-- the one that waits longest; one that was being made when the server stopped is begun anew
UPDATE reports
SET state = 'running', attempts = attempts + 1
WHERE number = (
    SELECT number FROM reports WHERE state IN ('waiting', 'running') ORDER BY number LIMIT 1
)
RETURNING id, kind, service, start_ns, end_ns, state, created_ns, done_ns, attempts, actor, error, bytes
