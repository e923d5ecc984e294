-- What was found in requests that are told of, by pattern and place, with those requests that it cost most. Minutes do
-- not count in which it may be of clocks that differ.
WITH here AS (
    SELECT found.*, spans.service, spans.name AS operation, spans.trace_id, spans.span_id, spans.start_ns, spans.ns
    FROM {found} AS found
    JOIN {spans} AS spans ON spans.row = found.request
    WHERE spans.is_told
        AND NOT (coalesce(found.is_doubtful, false) AND spans.start_ns // 60000000000 IN (FROM {busy}))
),
served AS (
    SELECT service, name AS operation, count(*) AS requests
    FROM {spans}
    WHERE request = row AND is_told
    GROUP BY ALL
)
SELECT
    here.kind, service, operation, here.subject, any_value(served.requests) AS requests,
    count(DISTINCT request) AS hits,
    count(DISTINCT request) FILTER (here.is_doubtful) AS doubtful,
    count(DISTINCT start_ns // 60000000000) FILTER (NOT coalesce(here.is_offset, false)) AS minutes,
    count(DISTINCT trace_id) AS traces, sum(here.calls)::BIGINT AS calls,
    sum(here.waste_ns)::BIGINT AS waste_ns, arg_max(here.detail, here.waste_ns) AS detail,
    min(here.start_ns) AS first_ns, max(here.start_ns) AS last_ns,
    arg_max(
        {'trace_id': trace_id, 'span_id': here.found_span, 'start_ns': here.start_ns, 'ns': here.ns,
          'calls': here.calls, 'waste_ns': here.waste_ns},
        here.waste_ns, 5
    ) AS evidence
FROM (
    SELECT here.* RENAME (span AS found_row), spans.span_id AS found_span
    FROM here JOIN {spans} AS spans ON spans.row = here.span
) AS here
JOIN served USING (service, operation)
GROUP BY ALL
ORDER BY waste_ns DESC
LIMIT {most}
