-- The latest value of each series, and how fast what only rises has risen over its newest points.
WITH newest AS (
    SELECT host, service, pid, sender, metric, state, part, series, rises, is_delta, any_value(about) AS about,
        max_by(value, time_ns, 5) AS latest, max(time_ns, 5) AS times_ns
    FROM ({points})
    GROUP BY ALL
)
SELECT host, service, pid, sender, metric, state, part, any_value(about) AS about, count(*) AS series,
    sum(latest[1]) AS value, max(times_ns[1]) AS last_ns,
    sum(CASE WHEN rises AND len(latest) > 1 THEN
        CASE WHEN is_delta THEN list_sum(latest[:-2]) ELSE greatest(latest[1] - latest[-1], 0) END
        / ((times_ns[1] - times_ns[-1]) / 1e9) END) AS per_s
FROM newest
GROUP BY host, service, pid, sender, metric, state, part
ORDER BY host, metric, state, part
