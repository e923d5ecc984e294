-- When the messages that consumers took were sent: the end of the span that theirs links to, else of its parent. A
-- consumer below another one, which received for it, has no message of its own, nor has one below of a server.
WITH here AS (
    SELECT row, coalesce(link_span, parent_span_id) AS sent_span,
        CASE WHEN link_span IS NOT NULL THEN link_trace ELSE trace_id END AS sent_trace,
        link_span IS NOT NULL AS is_linked
    FROM {taken} WHERE kind = 5
)
SELECT here.row, any_value(here.sent_trace) AS sent_trace, max(sent.end_ns) AS sent_ns
FROM here LEFT JOIN {sent} AS sent
    ON sent.trace_id = here.sent_trace AND sent.span_id = here.sent_span
        AND sent.kind <> 5 AND (sent.kind <> 2 OR here.is_linked)
WHERE here.sent_span IS NOT NULL
GROUP BY here.row
