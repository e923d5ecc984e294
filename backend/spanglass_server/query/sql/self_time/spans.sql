-- The spans of a stretch of time: what links them, as numbers to join by, how long they took, and which are counted.
SELECT
    trace_id, span_id,
    hash(trace_id, {identity}) AS identity,
    hash(trace_id, span_id) AS own,
    hash(trace_id, parent_span_id) AS above,
    parent_span_id IS NOT NULL AND parent_span_id <> span_id AS has_parent,
    hash(trace_id, coalesce({host}, {service})) AS clock,
    {service} AS service, left(coalesce(name, ''), 300) AS name, coalesce(kind, 0) AS kind,
    start_time_ns AS start_ns, duration_ns, coalesce(status_code, 0) = 2 AS failed,
    {weight} AS weight,
    ({begins}) IS TRUE AS begins,
    start_time_ns >= {first_ns} AND start_time_ns < {end_ns} AND ({matches}) IS TRUE AS counts
FROM {relation}
WHERE start_time_ns >= {earliest_ns}
