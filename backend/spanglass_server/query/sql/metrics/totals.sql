-- Increases of the counts and sums of histograms and summaries for each group and step.
WITH pieces AS ({pieces}),
grown AS (
    SELECT *, CASE WHEN mode = 'diff' THEN n::HUGEINT - prev_n ELSE n::HUGEINT END::DOUBLE AS increase,
        CASE WHEN mode = 'diff' THEN total - prev_total ELSE total END AS total_increase
    FROM pieces
),
by_series AS (
    SELECT {by} step, series, sum(increase * share) AS value, sum(increase * paced) AS paced,
        sum(total_increase * share) AS total, sum(increase * share) FILTER (total_increase IS NOT NULL) AS totalled,
        min(from_ns) FILTER (share IS NOT NULL) AS from_ns, max(to_ns) FILTER (share IS NOT NULL) AS to_ns, {facts}
    FROM grown GROUP BY ALL
)
SELECT {by} step, sum(value) AS increase, sum(paced) AS paced, sum(total) AS sum,
    sum(total) / nullif(sum(totalled), 0) AS avg, min(from_ns) AS from_ns, max(to_ns) AS to_ns, sum(resets) AS resets,
    sum(overlapping) AS overlapping, sum(incomparable) AS incomparable, sum(abs(value)) AS weight
FROM by_series GROUP BY ALL
