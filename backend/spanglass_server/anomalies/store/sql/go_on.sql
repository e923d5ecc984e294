-- The peak is the most surprising step. Requests that are affected add up, as those of all do: impact is their share,
-- or that of the peak where requests are not counted.
UPDATE anomalies SET
    seen_ns = :seen_ns, course = :course, affected = affected + :affected, requests = requests + :requests,
    peak_ns = iif(:surprise > surprise, :seen_ns, peak_ns), value = iif(:surprise > surprise, :value, value),
    expected = iif(:surprise > surprise, :expected, expected), low = iif(:surprise > surprise, :low, low),
    high = iif(:surprise > surprise, :high, high), surprise = max(surprise, :surprise),
    impact = CASE WHEN requests > 0 AND :requests > 0 THEN min((affected + :affected) / (requests + :requests), 1.0)
        WHEN :surprise > surprise THEN :impact ELSE impact END
WHERE kind = :kind AND labels = :labels AND end_ns IS NULL
