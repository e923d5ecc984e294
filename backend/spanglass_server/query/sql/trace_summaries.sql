-- One row for each trace of the relation. A span that was sent twice counts once.
WITH found AS (
    SELECT trace_id, span_id, parent_span_id, start_time_ns, duration_ns, status_code, name,
        {service} AS service, ({matches}) IS TRUE AS matched
    FROM {relation}
    QUALIFY row_number() OVER (PARTITION BY trace_id, span_id ORDER BY start_time_ns, duration_ns DESC) = 1
), services AS (
    SELECT trace_id, service, count(*) AS spans, count(*) FILTER (status_code = 2) AS errors,
        min(start_time_ns) AS first_ns
    FROM found
    GROUP BY trace_id, service
), summaries AS (
    SELECT trace_id,
        min(start_time_ns) AS start_ns,
        max(start_time_ns + duration_ns) AS end_ns,
        count(*) AS span_count,
        count(*) FILTER (status_code = 2) AS error_count,
        count(*) FILTER (matched) AS matched_spans,
        min(start_time_ns) FILTER (matched) AS first_match_ns,
        bool_and(parent_span_id IS NOT NULL) AS root_missing,
        first(service ORDER BY parent_span_id IS NOT NULL, start_time_ns, span_id) AS root_service,
        first(name ORDER BY parent_span_id IS NOT NULL, start_time_ns, span_id) AS root_operation
    FROM found
    GROUP BY trace_id
), service_lists AS (
    SELECT trace_id, list(struct_pack(service, spans, errors) ORDER BY first_ns, service) AS services
    FROM services
    GROUP BY trace_id
)
SELECT * FROM summaries JOIN service_lists USING (trace_id)
