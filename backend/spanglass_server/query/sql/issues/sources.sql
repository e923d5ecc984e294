-- The spans or log records that tell of some occurrences.
SELECT told.* FROM {records} AS told SEMI JOIN {wanted} AS wanted ON {same}
