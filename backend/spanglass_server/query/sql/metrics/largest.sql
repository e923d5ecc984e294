-- The rows of the largest groups (one more than the limit), by group and step.
WITH grouped AS ({grouped}),
hashed AS (SELECT *, hash({keys}) AS group_hash FROM grouped),
totals AS (
    SELECT group_hash, row_number() OVER (ORDER BY sum(weight) DESC, any_value(row({keys})::VARCHAR)) AS group_place
    FROM hashed GROUP BY group_hash QUALIFY group_place <= {limit}
)
SELECT * EXCLUDE (group_hash) FROM hashed JOIN totals USING (group_hash) ORDER BY group_place, step
