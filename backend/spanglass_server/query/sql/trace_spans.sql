SELECT trace_id, span_id, parent_span_id, start_time_ns, duration_ns, status_code, name, {service} AS service,
    ({matches}) IS TRUE AS matched
FROM {relation}
WHERE trace_id IN {trace_ids}
