INSERT INTO schedules (id, kind, service, last, cron, zone, channels, format, enabled, actor, created_ns, next_ns)
VALUES (:id, :kind, :service, :last, :cron, :zone, :channels, :format, :enabled, :actor, :created_ns, :next_ns)
ON CONFLICT (id) DO UPDATE SET
    kind = excluded.kind, service = excluded.service, last = excluded.last, cron = excluded.cron, zone = excluded.zone,
    channels = excluded.channels, format = excluded.format, enabled = excluded.enabled, next_ns = excluded.next_ns
