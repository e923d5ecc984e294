-- Bodies of requests and answers that are large. Both halves of a call tell of them; the one that serves it counts.
SELECT
    'large_payload' AS kind, request,
    CASE WHEN kind = 3 THEN coalesce(nullif(concat_ws(' ', method, host || path_shape), ''), name) ELSE name END AS subject,
    max(greatest(coalesce(received, 0), coalesce(sent, 0)))::VARCHAR AS detail,
    count(*) AS calls, sum(ns)::BIGINT AS waste_ns, arg_max(row, greatest(coalesce(received, 0), coalesce(sent, 0))) AS span
FROM {spans}
WHERE greatest(coalesce(received, 0), coalesce(sent, 0)) >= {large_bytes} AND kind IN (2, 3) AND NOT (kind = 3 AND is_called)
GROUP BY ALL
