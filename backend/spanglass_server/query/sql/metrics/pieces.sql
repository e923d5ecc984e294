-- Increases between points, one row for each step that an increase covers (query/metrics/increase.py describes them).
WITH points AS ({points}),
several AS (
    SELECT series FROM points WHERE NOT is_delta AND NOT is_gap GROUP BY series HAVING min(start_ns) <> max(start_ns)
),
writers AS ({writers}),
usable AS (SELECT * FROM points WHERE NOT is_gap AND is_usable {kept}),
runs AS (
    SELECT *, lag(time_ns) OVER run AS prev_time_ns, {twins} {lags}
    FROM usable LEFT JOIN writers USING (series, start_ns)
    WINDOW run AS (
        PARTITION BY series, CASE WHEN is_delta THEN 0 ELSE coalesce(writer, start_ns) END ORDER BY time_ns, {measure}
    )
),
judged AS (
    SELECT * {spent}, CASE
        WHEN is_delta AND start_ns > 0 AND prev_time_ns - start_ns > {slack} AND NOT is_twin THEN 'overlap'
        WHEN is_delta THEN 'whole'
        WHEN prev_time_ns IS NULL AND start_ns >= {from_ns} AND start_ns < time_ns AND start_ns > 0 THEN 'first'
        WHEN prev_time_ns IS NULL OR prev_time_ns = time_ns THEN 'unknown'
        WHEN {fell} THEN 'reset'
        WHEN NOT ({comparable}) THEN 'other'
        ELSE 'diff' END AS judgement
    FROM {runs}
),
increases AS (
    SELECT *, CASE WHEN judgement = 'diff' THEN 'diff' ELSE 'whole' END AS mode,
        judgement = 'reset' OR (prev_time_ns IS NULL AND coalesce(is_restart, false)) AS is_reset,
        judgement = 'overlap' AS is_overlap, judgement = 'other' AS is_incomparable,
        judgement IN ('diff', 'reset', 'first', 'whole') AS is_counted,
        judgement IN ('diff', 'reset') AND coalesce(gap_ns >= prev_time_ns, false) AS is_across_gap,
        time_ns AS until_ns,
        coalesce(least(time_ns - 1, CASE
            WHEN is_twin THEN start_ns
            WHEN judgement IN ('first', 'whole') AND start_ns > 0 THEN greatest(start_ns, prev_time_ns)
            WHEN time_ns - prev_time_ns <= {gap_ns} OR judgement <> 'whole' THEN prev_time_ns
            ELSE time_ns - 1 END), time_ns - 1) AS since_ns
    FROM judged
),
placed AS (
    SELECT *, (until_ns - 1) // {step_ns} AS last_step,
        CASE WHEN until_ns - since_ns > {gap_ns} OR is_across_gap THEN until_ns - 1 ELSE since_ns END // {step_ns}
            AS first_step
    FROM increases WHERE judgement <> 'unknown' OR is_reset
),
stepped AS (SELECT *, unnest(range(first_step, last_step + 1)) * {step_ns} AS step FROM placed),
cut AS (
    SELECT *, greatest(since_ns, step) AS from_ns, least(until_ns, step + {step_ns}) AS to_ns,
        step = last_step * {step_ns} AS is_last
    FROM stepped WHERE step >= {first_ns} AND step < {end_ns}
)
SELECT *,
    CASE WHEN NOT is_counted THEN NULL
        WHEN first_step = last_step THEN 1 ELSE (to_ns - from_ns) / (until_ns - since_ns) END AS share,
    CASE WHEN is_counted THEN (to_ns - from_ns) / (until_ns - since_ns) END AS paced
FROM cut
