INSERT INTO findings (kind, service, operation, subject, detail, state, reason, actor, changed_ns, first_ns, last_ns, evidence)
VALUES (:kind, :service, :operation, :subject, :detail, 'open', '', '', 0, :first_ns, :last_ns, '[]')
ON CONFLICT (kind, service, operation, subject) DO UPDATE SET
    detail = excluded.detail, first_ns = min(first_ns, excluded.first_ns), last_ns = max(last_ns, excluded.last_ns)
RETURNING id, evidence
