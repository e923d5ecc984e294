-- Who served the calls of each caller and address, those of spans that match, and all: an address belongs to whom it
-- belongs, whatever is asked for. Calls are measured as clients did; what no client tells of, where it was served.
WITH callers AS (
    SELECT trace_id, span_id, {service} AS service, kind, {keys}, status_code, duration_ns, ({where}) IS TRUE AS matches
    FROM {relation}
    WHERE kind IS NULL OR (kind NOT IN (4, 5) AND system IS NULL AND queue IS NULL)
), served AS (
    SELECT trace_id, parent_span_id, {service} AS callee, status_code, duration_ns FROM {all}
    WHERE kind = 2 AND parent_span_id IS NOT NULL
), calls AS (
    SELECT service, kind, {names}, callee, matches,
        CASE WHEN kind = 3 THEN callers.status_code ELSE served.status_code END AS status_code,
        CASE WHEN kind = 3 THEN callers.duration_ns ELSE served.duration_ns END AS duration_ns
    FROM callers JOIN served ON callers.trace_id = served.trace_id AND callers.span_id = served.parent_span_id
    WHERE kind = 3 OR callee <> service
)
SELECT service, kind, {names}, callee, count(*) AS all_calls, count(*) FILTER (matches) AS calls,
    count(*) FILTER (matches AND status_code = 2) AS errors, quantile_disc(duration_ns, {points}) FILTER (matches) AS points
FROM calls
GROUP BY ALL
ORDER BY all_calls DESC
LIMIT {count}
