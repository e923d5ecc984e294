-- Where the records are that arrived next, or last, at most {count} of them, read from few columns, and how many there are.
WITH arrived AS (
    SELECT time_ns, arrival_order FROM {relation}
    WHERE {where}
)
SELECT min(time_ns) AS first_ns, max(time_ns) AS far_ns, min(arrival_order) AS first_order,
    max(arrival_order) AS last_order, count(*) AS found, {total} AS total
FROM (
    SELECT * FROM arrived
    ORDER BY arrival_order {direction}
    LIMIT {count}
)
