INSERT INTO anomalies (
    kind, labels, title, unit, side, is_new, start_ns, seen_ns,
    peak_ns, value, expected, low, high, surprise, impact, affected, requests, services, course
) VALUES (
    :kind, :labels, :title, :unit, :side, :is_new, :start_ns, :seen_ns,
    :seen_ns, :value, :expected, :low, :high, :surprise, :impact, :affected, :requests, :writers, :course
)
ON CONFLICT DO NOTHING
