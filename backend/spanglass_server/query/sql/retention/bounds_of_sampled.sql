-- The same where some spans stand for others too: each counts as many times. Durations are put into steps of 0.3 %, and
-- a bound is the longest of its step.
WITH asked AS (
    SELECT start_time_ns // {day_ns} AS day, {service} AS service, name, duration_ns, {weight} AS weight
    FROM {relation}
    WHERE ({where}) AND kind IN (2, 5) AND name IS NOT NULL
), used AS MATERIALIZED (
    SELECT day, service, name
    FROM asked
    GROUP BY day, service, name
    HAVING round(sum(weight)) >= {least}
    QUALIFY row_number() OVER (PARTITION BY day ORDER BY sum(weight) DESC, service, name) <= {most}
), steps AS (
    SELECT day, service, name, round(256 * log2(duration_ns + 1)) AS step, sum(weight) AS weight,
        max(duration_ns) AS longest_ns
    FROM asked SEMI JOIN used USING (day, service, name)
    GROUP BY day, service, name, step
), ranked AS (
    SELECT *, sum(weight) OVER (PARTITION BY day, service, name ORDER BY step) AS upto,
        sum(weight) OVER (PARTITION BY day, service, name) AS total
    FROM steps
)
SELECT day, service, name, min(longest_ns) FILTER (upto >= 0.99 * total)::BIGINT AS bound_ns
FROM ranked
GROUP BY day, service, name
