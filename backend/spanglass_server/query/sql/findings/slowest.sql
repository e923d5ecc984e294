-- The slowest requests of each operation that began in a range.
SELECT
    service, name AS operation,
    arg_max({'trace_id': trace_id, 'span_id': span_id, 'start_ns': start_ns, 'ns': ns, 'calls': 1, 'waste_ns': ns}, ns, 3)
    AS evidence
FROM {spans}
WHERE request = row AND (kind IN (2, 5) OR parent < 0) AND start_ns >= {start_ns} AND start_ns < {end_ns}
GROUP BY ALL
ORDER BY sum(ns) DESC
LIMIT {most}
