-- Events and users of ignored issues since each is ignored.
SELECT due.issue, count(*) AS events, count(DISTINCT found.user) AS users
FROM {due} AS due JOIN {occurrences} AS found ON found.issue_key = due.key AND found.time_ns >= due.since_ns
GROUP BY due.issue
