-- Spans of a group in a stretch of time with what is compared of them; of many a share, chosen by chance.
SELECT {columns}, {is_selected} AS is_selected
FROM {relation}
WHERE ({where}) AND ({sampled})
