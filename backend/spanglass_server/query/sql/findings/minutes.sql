-- Spans by the minute in which they begin.
SELECT start_time_ns // 60000000000 AS minute, count(*) AS spans FROM {relation} GROUP BY ALL
