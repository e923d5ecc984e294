-- Traces with spans without a parent that match.
SELECT trace_id FROM {relation}
WHERE ({where}) AND parent_span_id IS NULL {counted}
