-- Spans with other children of their parent that match; a span is no sibling of itself.
WITH matching AS MATERIALIZED (
    SELECT DISTINCT trace_id, parent_span_id, span_id FROM {relation} WHERE ({where}) AND parent_span_id IS NOT NULL
), families AS (
    SELECT trace_id, parent_span_id, count(*) AS members FROM matching GROUP BY ALL
)
SELECT own.trace_id, own.span_id
FROM (SELECT DISTINCT trace_id, parent_span_id, span_id FROM {spans}) AS own
JOIN families ON own.trace_id = families.trace_id AND own.parent_span_id = families.parent_span_id
LEFT JOIN matching ON own.trace_id = matching.trace_id AND own.parent_span_id = matching.parent_span_id
    AND own.span_id = matching.span_id
WHERE members - (matching.span_id IS NOT NULL)::INTEGER {count}
