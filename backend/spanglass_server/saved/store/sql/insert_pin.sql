INSERT INTO pins (trace_id, note, actor, pinned_ns, service, name, start_ns, duration_ns, spans, errors, bytes)
VALUES (:trace_id, :note, :actor, :pinned_ns, :service, :name, :start_ns, :duration_ns, :spans, :errors, :bytes)
ON CONFLICT (trace_id) DO UPDATE SET note = excluded.note, actor = excluded.actor
