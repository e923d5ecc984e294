-- When each service and each host last sent a metric of each family; a family has several beginnings of names. Those
-- that send other metrics alone are rows without a family: of them everything is missing.
WITH named AS (
    SELECT {service} AS service, {host} AS host, metric_name, max(time_ns) AS last_ns FROM {relation} GROUP BY ALL
), families AS (SELECT unnest({families}) AS family, unnest({beginnings}) AS beginning)
SELECT service, host, family, max(last_ns) AS last_ns
FROM named LEFT JOIN families ON starts_with(metric_name, beginning)
GROUP BY GROUPING SETS ((service, family), (host, family))
