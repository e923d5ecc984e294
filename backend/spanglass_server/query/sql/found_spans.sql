-- Spans that share an id are told apart by what identifies them, so that pages neither lose nor repeat one.
SELECT {value} AS value, trace_id, {identity}
FROM {relation}
WHERE ({where}) AND ({after})
ORDER BY {order}
LIMIT {count}
