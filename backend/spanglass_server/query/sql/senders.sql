-- How many records each service sent, how many of them lately, and when the newest was.
SELECT {service} AS service, count(*) AS records, count(*) FILTER ({time} >= {newest_ns}) AS newest_minute,
    max({time}) AS last_ns
FROM {relation}
GROUP BY service
