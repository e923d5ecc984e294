INSERT INTO reports (id, kind, service, start_ns, end_ns, state, created_ns, actor, schedule)
VALUES (:id, :kind, :service, :start_ns, :end_ns, 'waiting', :created_ns, :actor, :schedule)
