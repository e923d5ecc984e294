SELECT count(*) FILTER (source = 0) AS spans, count(*) FILTER (source = 1) AS logs
FROM {relation}
WHERE issue_key IN {keys}
