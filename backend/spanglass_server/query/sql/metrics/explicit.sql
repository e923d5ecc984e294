-- Explicit histograms merged where their bounds are equal.
WITH pieces AS ({pieces}),
grown AS (
    SELECT *, CASE WHEN mode = 'diff' THEN n::HUGEINT - prev_n ELSE n::HUGEINT END::DOUBLE AS increase,
        CASE WHEN mode = 'diff' THEN prev_counts END AS before, hash(bounds) AS bounds_hash
    FROM pieces
),
facts AS (SELECT {by} step, bounds_hash, any_value(bounds) AS bounds, {observed}, {facts} FROM grown GROUP BY ALL),
exploded AS (
    SELECT {by} step, bounds_hash, share, unnest(counts) AS now, unnest(before) AS before,
        generate_subscripts(counts, 1) AS place
    FROM grown WHERE share IS NOT NULL
),
summed AS (
    SELECT {by} step, bounds_hash, place, sum((now::HUGEINT - coalesce(before, 0))::DOUBLE * share) AS observed
    FROM exploded GROUP BY ALL
),
merged AS (
    SELECT {by} step, bounds_hash, list(observed ORDER BY place) AS counts, sum(observed) AS weight
    FROM summed GROUP BY ALL
)
SELECT facts.* EXCLUDE (bounds_hash), counts, coalesce(weight, 0) AS weight
FROM facts LEFT JOIN merged ON {same} AND facts.bounds_hash = merged.bounds_hash
