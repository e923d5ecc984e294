-- Attributes of the log records that tell the latest occurrences of an issue.
WITH told AS (
    SELECT DISTINCT record_order
    FROM (
        SELECT record_order FROM {occurrences}
        WHERE source = 1 AND issue_key IN {keys}
        ORDER BY time_ns DESC LIMIT {count}
    )
)
SELECT {columns}
FROM {relation} AS records JOIN told ON records.arrival_order = told.record_order
