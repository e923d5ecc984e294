-- Spans of a part by the minute in which they begin: for each objective how many count, and how many of these are good.
SELECT start_time_ns // 60000000000 AS minute, {values} FROM {relation} WHERE {where} GROUP BY ALL ORDER BY minute
