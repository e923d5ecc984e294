-- Exemplars that know their trace: of each step the largest ones.
WITH unnested AS (
    SELECT unnest(exemplar_time_ns) AS exemplar_ns, unnest(exemplar_values) AS exemplar_value,
        unnest(exemplar_trace_id) AS trace_id, unnest(exemplar_span_id) AS span_id
    FROM ({points}) WHERE len(exemplar_trace_id) > 0
)
SELECT exemplar_ns, exemplar_value, trace_id, span_id
FROM unnested
WHERE trace_id IS NOT NULL AND isfinite(exemplar_value) AND exemplar_ns >= {start_ns} AND exemplar_ns < {end_ns}
QUALIFY row_number() OVER (PARTITION BY exemplar_ns // {step_ns} ORDER BY exemplar_value DESC, exemplar_ns) <= {most}
ORDER BY exemplar_ns
LIMIT {limit}
