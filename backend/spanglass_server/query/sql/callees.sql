-- Who served some calls, most often first.
SELECT {service} AS service, count(*) AS calls
FROM {relation}
WHERE trace_id IN {trace_ids} AND parent_span_id IN {span_ids} AND kind = 2
GROUP BY ALL
ORDER BY calls DESC, service
