SELECT id, kind, service, start_ns, end_ns, state, created_ns, done_ns, attempts, actor, error, bytes
FROM reports
WHERE (:kind = '' OR kind = :kind) AND (:service = '' OR service = :service) AND (:state = '' OR state = :state)
ORDER BY number DESC
LIMIT :most
