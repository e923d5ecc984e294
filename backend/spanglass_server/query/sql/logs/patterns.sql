-- Masked lines with how many there are in each step of time, and, without a step, before; the most frequent ones.
WITH lines AS (
    SELECT {text} AS line, CASE WHEN time_ns >= {start_ns} THEN (time_ns - {first_ns}) // {step_ns} END AS bucket, time_ns, {service} AS service,
        list_position({severities}, {severity}) AS level
    FROM {relation}
    WHERE {where}
), counted AS (
    SELECT {masked} AS masked, bucket, count(*) AS records, min(time_ns) AS first_ns, max(time_ns) AS last_ns,
        max(level) AS level, list(DISTINCT service) AS services, min(line) AS example
    FROM lines
    GROUP BY ALL
), ranked AS (
    SELECT masked, sum(records) AS all_records FROM counted GROUP BY masked ORDER BY all_records DESC, masked LIMIT {count}
)
SELECT counted.*, all_records FROM counted JOIN ranked USING (masked) ORDER BY all_records DESC, masked, bucket
