-- Spans that match, as parents of others.
SELECT trace_id, span_id FROM {relation}
WHERE ({where}) {counted}
