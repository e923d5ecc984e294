-- Durations beside the numbers that spans carry, as sums from which a line through both, in logarithms, can be drawn.
SELECT
    service, operation, key, count(*) AS n, min(x) AS low, max(x) AS high,
    sum(x) AS x, sum(y) AS y, sum(x * x) AS xx, sum(y * y) AS yy, sum(x * y) AS xy, sum(ns)::DOUBLE AS total_ns,
    arg_max({'trace_id': trace_id, 'span_id': span_id, 'start_ns': start_ns, 'ns': ns, 'calls': 1, 'waste_ns': ns}, ns, 3)
    AS evidence
FROM (
    SELECT *, ln(pair.value) AS x, ln(ns) AS y, pair.key AS key
    FROM (
        SELECT service, name AS operation, trace_id, span_id, start_ns, ns, unnest(list_filter(sizes, lambda pair: isfinite(pair.value))) AS pair
        FROM {spans}
        WHERE sizes IS NOT NULL AND ns > 0 AND is_told
    )
)
GROUP BY service, operation, key
ORDER BY total_ns DESC
LIMIT {most}
