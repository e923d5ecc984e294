-- Whole records in the order of their arrival.
SELECT *{shown} FROM {relation}
WHERE {where}
ORDER BY arrival_order
