-- Explicit histograms merged where their bounds are equal, those apart that say less about what was observed.
WITH pieces AS ({pieces}),
grown AS (
    SELECT *, CASE WHEN mode = 'diff' THEN n::HUGEINT - prev_n ELSE n::HUGEINT END::DOUBLE AS increase,
        CASE WHEN mode = 'diff' THEN prev_counts END AS before,
        hash(len(bounds), bounds, is_delta, low IS NULL, high IS NULL) AS alike
    FROM pieces
),
facts AS (SELECT {by} step, alike, any_value(bounds) AS bounds, {observed}, {facts} FROM grown GROUP BY ALL),
exploded AS (
    SELECT {by} step, alike, share, unnest(counts) AS now, unnest(before) AS before,
        generate_subscripts(counts, 1) AS place
    FROM grown WHERE share IS NOT NULL
),
summed AS (
    SELECT {by} step, alike, place, sum((now::HUGEINT - coalesce(before, 0))::DOUBLE * share) AS observed
    FROM exploded GROUP BY ALL
),
merged AS (
    SELECT {by} step, alike, list(observed ORDER BY place) AS counts, sum(observed) AS weight
    FROM summed GROUP BY ALL
)
SELECT facts.* EXCLUDE (alike), counts, coalesce(weight, 0) AS weight
FROM facts LEFT JOIN merged ON {same} AND facts.alike = merged.alike
