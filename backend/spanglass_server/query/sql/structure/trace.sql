-- Traces with spans that match.
SELECT trace_id FROM {relation}
WHERE ({where}) {counted}
