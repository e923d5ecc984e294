INSERT INTO sightings (finding, hour, requests, hits, calls, waste_ns, doubtful, minutes)
VALUES (:finding, :hour, :requests, :hits, :calls, :waste_ns, :doubtful, :minutes)
ON CONFLICT (finding, hour) DO UPDATE SET
    requests = requests + excluded.requests, hits = hits + excluded.hits, calls = calls + excluded.calls,
    waste_ns = waste_ns + excluded.waste_ns, doubtful = doubtful + excluded.doubtful,
    minutes = minutes + excluded.minutes
