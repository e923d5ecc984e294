-- Whole records in the order of their arrival.
SELECT * FROM {relation}
WHERE {where}
ORDER BY arrival_order
