-- Keys of ignored issues, and since when each issue is ignored.
(SELECT unnest({issues}::VARCHAR[]) AS issue, unnest({keys}::BIGINT[]) AS key, unnest({since}::BIGINT[]) AS since_ns)
