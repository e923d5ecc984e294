-- Traces of some records, with how many of the records each has; the scan ends with so many records.
SELECT trace_id, count(*) AS records FROM (SELECT trace_id FROM {relation} WHERE {where} LIMIT {count}) GROUP BY ALL
