-- The delta points of all series in which some overlap, in order.
WITH points AS (SELECT * FROM ({points}) WHERE is_delta AND NOT is_gap AND is_usable AND start_ns > 0),
keyed AS (SELECT series, start_ns, time_ns, {slack} AS slack_ns, {content} AS content, {key} AS key FROM points),
lagged AS (SELECT *, lag(time_ns) OVER (PARTITION BY series ORDER BY time_ns, start_ns) AS prev_ns FROM keyed)
SELECT series, start_ns, time_ns, slack_ns, content, key FROM keyed
WHERE series IN (SELECT series FROM lagged WHERE prev_ns - start_ns > slack_ns)
ORDER BY series, time_ns, start_ns
