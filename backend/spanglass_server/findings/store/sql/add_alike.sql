-- Requests or calls that are like those of a finding, with hits among them or not.
INSERT INTO sightings (finding, hour, requests, hits, calls, waste_ns, doubtful, minutes, alike)
SELECT id, ?1, 0, 0, 0, 0, 0, 0, ?2 FROM findings
WHERE kind = ?3 AND service = ?4 AND operation = ?5 AND subject = ?6
ON CONFLICT (finding, hour) DO UPDATE SET alike = alike + excluded.alike
