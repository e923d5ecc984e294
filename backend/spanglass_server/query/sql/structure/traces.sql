-- The traces of some records, at most so many.
SELECT DISTINCT trace_id FROM {relation} WHERE trace_id IS NOT NULL LIMIT {count}
