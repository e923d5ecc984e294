-- Rows of a table of the server's own that were there at any time of a range.
SELECT * FROM {view}
WHERE {begin} < make_timestamp_ns({end_ns}::BIGINT)
    AND coalesce({end} >= make_timestamp_ns({start_ns}::BIGINT), true)
ORDER BY {begin}
