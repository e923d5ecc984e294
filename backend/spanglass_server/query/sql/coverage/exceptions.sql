-- When each service last told of an exception.
SELECT service_name AS service, max(time_ns) AS exceptions FROM {relation} GROUP BY service
