-- Whether any record matches.
SELECT EXISTS (SELECT 1 FROM {relation} WHERE {where}) AS found
