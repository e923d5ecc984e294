-- Exponential histograms merged at the smallest scale of each group and step, one row for each bucket.
WITH pieces AS ({pieces}),
grown AS (
    SELECT *, CASE WHEN mode = 'diff' THEN n::HUGEINT - prev_n ELSE n::HUGEINT END::DOUBLE AS increase,
        CASE WHEN is_moved THEN shared_scale ELSE scale END AS own_scale,
        CASE WHEN is_moved THEN positive_place ELSE positive_offset END AS first_positive,
        CASE WHEN is_moved THEN positive_now ELSE positive_counts END AS now_positive,
        CASE WHEN is_moved THEN positive_before WHEN mode = 'diff' THEN prev_positive_counts END AS before_positive,
        CASE WHEN is_moved THEN negative_place ELSE negative_offset END AS first_negative,
        CASE WHEN is_moved THEN negative_now ELSE negative_counts END AS now_negative,
        CASE WHEN is_moved THEN negative_before WHEN mode = 'diff' THEN prev_negative_counts END AS before_negative,
        CASE WHEN mode = 'diff' THEN zeros::HUGEINT - prev_zeros ELSE zeros::HUGEINT END::DOUBLE AS new_zeros
    FROM (SELECT *, mode = 'diff' AND NOT is_same AS is_moved FROM pieces)
),
facts AS (
    SELECT {by} step, min(own_scale) FILTER (share IS NOT NULL) AS scale, max(threshold) AS threshold, {observed}, {facts}
    FROM grown GROUP BY ALL
),
exploded AS (
    SELECT {by} step, own_scale, 1 AS side, share, unnest(now_positive) AS now, unnest(before_positive) AS before,
        first_positive + generate_subscripts(now_positive, 1) - 1 AS place
    FROM grown WHERE share IS NOT NULL
    UNION ALL
    SELECT {by} step, own_scale, -1, share, unnest(now_negative), unnest(before_negative),
        first_negative + generate_subscripts(now_negative, 1) - 1
    FROM grown WHERE share IS NOT NULL
),
counted AS (
    SELECT {by} step, own_scale, side, place, sum((now::HUGEINT - coalesce(before, 0))::DOUBLE * share) AS observed
    FROM exploded GROUP BY ALL
    UNION ALL
    SELECT {by} step, own_scale, 0, 0, sum(new_zeros * share) FROM grown WHERE share IS NOT NULL GROUP BY ALL
),
merged AS (
    SELECT {merged_by} counted.step, side, floor(place / 2.0 ** (own_scale - scale))::BIGINT AS place,
        sum(counted.observed) AS observed
    FROM counted JOIN facts ON {counted_same} GROUP BY ALL
)
SELECT facts.* EXCLUDE (observed), facts.observed AS total, side, place, merged.observed,
    abs(coalesce(merged.observed, 0)) AS weight
FROM facts LEFT JOIN merged ON {same}
