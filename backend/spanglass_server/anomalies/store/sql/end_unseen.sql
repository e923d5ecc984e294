-- Series that have no value any more.
UPDATE anomalies SET end_ns = seen_ns WHERE end_ns IS NULL AND seen_ns < :oldest_ns
