-- Events of ignored issues an hour, counted back from now: 0 is the last hour, in which only those count that came
-- since the issue is ignored.
SELECT due.issue, ({now_ns} - found.time_ns) // 3600000000000 AS hours_ago, count(*) AS events
FROM {due} AS due JOIN {occurrences} AS found ON found.issue_key = due.key
WHERE found.time_ns <= {now_ns} AND (found.time_ns >= due.since_ns OR {now_ns} - found.time_ns >= 3600000000000)
GROUP BY ALL
