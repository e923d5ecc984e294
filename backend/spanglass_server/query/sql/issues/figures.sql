-- What lists and pages show of a few issues; series are counts by bucket, of buckets that have any.
SELECT id,
    count(*) AS events,
    count(DISTINCT "user") AS users,
    min(time_ns) AS first_ns,
    max(time_ns) AS last_ns,
    arg_max(release, time_ns) AS last_release,
    list_sort(list(DISTINCT environment)) AS environments,
    count(*) FILTER (time_ns >= {middle_ns}) AS later,
    histogram((time_ns - {first_ns}) // {step_ns}) AS series
FROM {relation} JOIN {issues} AS known USING (issue_key)
WHERE issue_key IN {keys} AND ({where})
GROUP BY id
