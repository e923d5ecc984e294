-- How many spans slices of a range have.
SELECT count(*) AS spans FROM {relation}
