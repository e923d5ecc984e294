-- The longest time in a request in which no span of it says what was done.
WITH below AS (
    SELECT
        request, row, request_start_ns AS first_ns, request_start_ns + request_ns AS last_ns,
        greatest(start_ns, request_start_ns) AS start_ns, least(end_ns, request_start_ns + request_ns) AS end_ns
    FROM {spans}
    WHERE request <> row AND request_ns >= {notable_ns}
),
holes AS (
    SELECT
        request,
        start_ns - coalesce(
            max(end_ns) OVER (
                PARTITION BY request ORDER BY start_ns, row ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ),
            first_ns
        ) AS ns
    FROM below
    UNION ALL
    SELECT request, any_value(last_ns) - max(end_ns) FROM below GROUP BY request
    UNION ALL
    SELECT row, ns FROM {spans} WHERE request = row AND is_leaf
),
longest AS (SELECT request, max(ns) AS ns FROM holes GROUP BY request)
SELECT
    'gap' AS kind, spans.row AS request, spans.name AS subject, '' AS detail, 1 AS calls, longest.ns AS waste_ns, spans.row AS span
FROM longest
JOIN {spans} AS spans ON spans.row = longest.request
WHERE spans.kind IN (2, 5) AND longest.ns >= {notable_ns} AND longest.ns >= {notable_share} * spans.ns
    AND NOT regexp_matches(spans.name, '(?i)\b(?:receive|poll|stream|websocket|subscribe|sse)\b')
