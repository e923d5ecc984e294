-- Spans with children that match.
SELECT trace_id, parent_span_id FROM {relation}
WHERE ({where}) AND parent_span_id <> span_id {counted}
