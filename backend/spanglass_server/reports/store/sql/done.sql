UPDATE reports
SET state = :state, done_ns = :done_ns, error = :error, content = :content, bytes = length(coalesce(:content, ''))
WHERE id = :id
