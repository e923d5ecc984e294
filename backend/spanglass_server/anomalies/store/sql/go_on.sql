-- The peak is the most surprising step; requests that are affected add up.
UPDATE anomalies SET
    seen_ns = :seen_ns, course = :course, affected = affected + :affected,
    peak_ns = iif(:surprise > surprise, :seen_ns, peak_ns), value = iif(:surprise > surprise, :value, value),
    expected = iif(:surprise > surprise, :expected, expected), low = iif(:surprise > surprise, :low, low),
    high = iif(:surprise > surprise, :high, high), impact = iif(:surprise > surprise, :impact, impact),
    surprise = max(surprise, :surprise)
WHERE kind = :kind AND labels = :labels AND end_ns IS NULL
