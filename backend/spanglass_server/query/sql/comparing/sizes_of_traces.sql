SELECT trace_id, count(*) AS spans FROM {relation} WHERE trace_id IN {trace_ids} GROUP BY trace_id
