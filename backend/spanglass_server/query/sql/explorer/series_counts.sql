-- How many series there are in a range, and in the one before.
SELECT count(*) FILTER (NOT is_before) AS series, count(*) FILTER (is_before) AS series_before FROM ({series})
