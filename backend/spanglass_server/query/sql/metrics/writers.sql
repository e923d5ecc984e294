-- Which start times of a series are those of one writer, for series with several. Rows: series, start_ns, writer (the
-- writer's first start), is_restart (whether all earlier writers had ended before its first point).
WITH starts AS (
    SELECT series, start_ns, count(*) AS repeats, bool_or(start_ns = time_ns) AS is_own_time,
        min(time_ns) AS first_ns, max(time_ns) AS last_ns
    FROM points SEMI JOIN several USING (series) WHERE NOT is_gap AND is_usable
    GROUP BY series, start_ns
),
-- none, or a point's own time, which no other point repeats: nothing is known about the start
unknown AS (SELECT * FROM starts WHERE start_ns = 0 OR (is_own_time AND repeats = 1)),
linked AS (
    SELECT *, coalesce(
        start_ns - lag(start_ns) OVER earlier > {near_ns}
        OR (start_ns - lag(start_ns) OVER earlier > {jitter_ns} AND start_ns >= max(last_ns) OVER all_earlier), true
    )::INTEGER AS is_other
    FROM starts ANTI JOIN unknown USING (series, start_ns)
    WINDOW earlier AS (PARTITION BY series ORDER BY start_ns),
        all_earlier AS (PARTITION BY series ORDER BY start_ns ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
),
grouped AS (SELECT *, sum(is_other) OVER (PARTITION BY series ORDER BY start_ns) AS near FROM linked),
told AS (
    SELECT series, near, start_ns, time_ns, points.{measure} AS value, lag(start_ns) OVER near_run AS near_start_ns,
        lag(time_ns) OVER near_run AS near_ns, lag(value) OVER near_run AS near_value, lag(value) OVER own AS own_value
    FROM points JOIN grouped USING (series, start_ns) WHERE NOT is_gap AND is_usable
    WINDOW near_run AS (PARTITION BY series, near ORDER BY time_ns, start_ns),
        own AS (PARTITION BY series, start_ns ORDER BY time_ns)
),
-- near starts that come back are of several writers if a value fell that is no less than the one before of its own
-- start, if two points are of one time, or if points come in pairs, as of two exporters that run side by side
apart AS (
    SELECT series, near FROM told GROUP BY series, near
    HAVING bool_or(start_ns <> near_start_ns AND (value < near_value AND value >= own_value OR time_ns = near_ns))
        OR (count(own_value) > 0
            AND quantile_disc(time_ns - near_ns, 0.25) < quantile_disc(time_ns - near_ns, 0.75) / 4)
),
named AS (
    SELECT series, start_ns, first_ns, last_ns,
        CASE WHEN apart.near IS NULL THEN min(start_ns) OVER (PARTITION BY series, grouped.near) ELSE start_ns END
            AS writer
    FROM grouped LEFT JOIN apart USING (series, near)
    UNION ALL
    SELECT series, start_ns, first_ns, last_ns, 0 FROM unknown
),
lives AS (
    SELECT series, writer, min(first_ns) > max(max(last_ns)) OVER (
        PARTITION BY series ORDER BY writer ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS is_restart
    FROM named GROUP BY series, writer
)
SELECT series, start_ns, writer, is_restart FROM named JOIN lives USING (series, writer)
