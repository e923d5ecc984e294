-- The time of the last record of a page, read from few columns: {count} records after the cursor's time.
SELECT min(time_ns) AS edge_ns, max(time_ns) AS far_ns, count(*) AS found
FROM (
    SELECT time_ns FROM {relation}
    WHERE {where}
    ORDER BY time_ns {direction}
    LIMIT {count}
)
