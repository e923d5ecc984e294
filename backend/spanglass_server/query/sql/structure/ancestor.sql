-- Spans with ancestors that match: from each of these down, child by child. UNION ends it where parents go in a circle.
WITH RECURSIVE matching AS MATERIALIZED (
    SELECT DISTINCT trace_id, span_id FROM {relation} WHERE ({where})
), edges AS MATERIALIZED (
    SELECT trace_id, span_id, parent_span_id FROM {spans}
    WHERE parent_span_id <> span_id AND trace_id IN (SELECT trace_id FROM matching)
), below(trace_id, id, origin) AS (
    SELECT edges.trace_id, edges.span_id, {origin}
    FROM edges JOIN matching ON edges.trace_id = matching.trace_id AND edges.parent_span_id = matching.span_id
    UNION
    SELECT edges.trace_id, edges.span_id, below.origin
    FROM edges JOIN below ON edges.trace_id = below.trace_id AND edges.parent_span_id = below.id
)
SELECT trace_id, id FROM below {counted}
