UPDATE anomalies SET end_ns = :end_ns, course = coalesce(:course, course)
WHERE kind = :kind AND labels = :labels AND end_ns IS NULL
