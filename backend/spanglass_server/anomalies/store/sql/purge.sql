DELETE FROM anomalies WHERE end_ns IS NOT NULL AND (
    end_ns < :oldest_ns OR id NOT IN (SELECT id FROM anomalies ORDER BY seen_ns DESC, id DESC LIMIT :most)
);
DELETE FROM fine WHERE coalesce(undone_ns, until_ns) < :oldest_ns;
