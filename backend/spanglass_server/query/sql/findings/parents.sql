-- The row of each span's parent. Where spans share an id, it is one of the same service. Each id is there once in what
-- is joined: a sender that gives all its spans one id would pair each of them with all others.
WITH any_service AS (SELECT trace_id, span_id, min(row) AS row FROM {spans} GROUP BY ALL),
of_service AS (SELECT trace_id, span_id, service, min(row) AS row FROM {spans} GROUP BY ALL)
SELECT child.row, coalesce(of_service.row, any_service.row) AS parent
FROM {spans} AS child
JOIN any_service ON any_service.trace_id = child.trace_id AND any_service.span_id = child.parent_span_id
LEFT JOIN of_service
    ON of_service.trace_id = child.trace_id AND of_service.span_id = child.parent_span_id
    AND of_service.service = child.service
WHERE child.parent_span_id <> child.span_id
