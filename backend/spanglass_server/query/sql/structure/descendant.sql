-- Spans with descendants that match: from each of these up, parent by parent. UNION ends it where parents go in a circle.
WITH RECURSIVE matching AS MATERIALIZED (
    SELECT DISTINCT trace_id, span_id, parent_span_id FROM {relation} WHERE ({where}) AND parent_span_id <> span_id
), edges AS MATERIALIZED (
    SELECT trace_id, span_id, parent_span_id FROM {spans}
    WHERE parent_span_id <> span_id AND trace_id IN (SELECT trace_id FROM matching)
), above(trace_id, id, origin) AS (
    SELECT trace_id, parent_span_id, {origin} FROM matching
    UNION
    SELECT edges.trace_id, edges.parent_span_id, above.origin
    FROM edges JOIN above ON edges.trace_id = above.trace_id AND edges.span_id = above.id
)
SELECT trace_id, id FROM above {counted}
