-- How many records each second has, the newest first.
SELECT {time} // 1000000000 AS second, count(*) AS records FROM {relation} WHERE {where} GROUP BY second ORDER BY second DESC
