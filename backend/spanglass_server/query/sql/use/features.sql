-- Events by name.
SELECT event_name AS name, count(*) AS events, count(DISTINCT {user}) AS users, count(DISTINCT {session}) AS sessions,
    max(time_ns) AS last_ns
FROM {relation}
WHERE ({where}) AND ({is_event})
GROUP BY name
ORDER BY events DESC, name
LIMIT {count}
