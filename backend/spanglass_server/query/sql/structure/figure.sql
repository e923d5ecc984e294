-- Traces of which a figure is as asked for.
SELECT trace_id FROM (SELECT trace_id, {figure} AS {figure_name} FROM {relation} GROUP BY trace_id) WHERE {condition}
