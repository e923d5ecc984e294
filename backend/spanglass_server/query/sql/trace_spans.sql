SELECT trace_id, {identity}, parent_span_id, status_code, name, {host} AS host, ({matches}) IS TRUE AS matched
FROM {relation}
