-- Where the records are that arrived next, at most {count} of them, read from few columns.
SELECT min(time_ns) AS first_ns, max(time_ns) AS far_ns, max(arrival_order) AS last_order, count(*) AS found
FROM (
    SELECT time_ns, arrival_order FROM {relation}
    WHERE {where}
    ORDER BY arrival_order
    LIMIT {count}
)
