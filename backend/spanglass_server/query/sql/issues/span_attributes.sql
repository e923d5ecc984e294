-- Attributes of the spans that tell the latest occurrences of an issue.
WITH told AS (
    SELECT DISTINCT trace_id, span_id
    FROM (
        SELECT trace_id, span_id FROM {occurrences}
        WHERE source = 0 AND issue_key IN {keys}
        ORDER BY time_ns DESC LIMIT {count}
    )
)
SELECT {columns}
FROM {relation} AS records JOIN told ON records.trace_id = told.trace_id AND records.span_id = told.span_id
