-- Of the pieces of a group: how much was observed, and between which values, as far as every point says so. The least
-- and greatest of a delta are those of its own observations; of a cumulative point, of all since its start.
sum(increase * share) AS observed,
CASE WHEN bool_and(low IS NOT NULL) FILTER (increase * share > 0) THEN min(low) FILTER (increase * share > 0) END AS low,
CASE WHEN bool_and(high IS NOT NULL) FILTER (increase * share > 0) THEN max(high) FILTER (increase * share > 0) END
    AS high,
min(low) FILTER (increase * share > 0 AND is_delta) AS exact_low,
max(high) FILTER (increase * share > 0 AND is_delta) AS exact_high,
coalesce(bool_and(is_delta AND low IS NOT NULL) FILTER (increase * share > 0), true) AS is_low_exact,
coalesce(bool_and(is_delta AND high IS NOT NULL) FILTER (increase * share > 0), true) AS is_high_exact
