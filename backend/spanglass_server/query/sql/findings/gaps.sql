-- The longest time in a request in which no span of it says what was done; in a share of the operation's requests.
-- Each is doubtful: what a busy machine or disk adds to a request lies between its spans, too, often in one place.
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
SELECT 'gap' AS kind, row AS request, name AS subject, '' AS detail, 1 AS calls, hole_ns AS waste_ns, row AS span,
    true AS is_doubtful
FROM (
    SELECT
        *, coalesce(hole_ns >= {notable_ns} AND hole_ns >= {notable_share} * ns, false) AS has_gap,
        avg(has_gap::INTEGER) OVER (PARTITION BY service, name) AS gap_share
    FROM (
        SELECT spans.row, spans.service, spans.name, spans.ns, longest.ns AS hole_ns
        FROM {spans} AS spans LEFT JOIN longest ON longest.request = spans.row
        WHERE spans.request = spans.row AND spans.kind IN (2, 5)
            AND NOT regexp_matches(spans.name, '(?i)\b(?:receive|poll|stream|websocket|subscribe|sse)\b')
    )
)
WHERE has_gap AND gap_share >= {often}
