-- The slowest requests of each operation that are told of.
SELECT
    service, name AS operation,
    arg_max({'trace_id': trace_id, 'span_id': span_id, 'start_ns': start_ns, 'ns': ns, 'calls': 1, 'waste_ns': ns}, ns, 3)
    AS evidence
FROM {spans}
WHERE request = row AND (kind IN (2, 5) OR parent < 0) AND is_told
GROUP BY ALL
ORDER BY sum(ns) DESC
LIMIT {most}
