-- How many records each second has, the newest first; the second that a time cuts comes twice.
SELECT {time} // 1000000000 AS second, {time} >= {recent_ns} AS is_recent, count(*) AS records
FROM {relation} WHERE {where} GROUP BY ALL ORDER BY second DESC
