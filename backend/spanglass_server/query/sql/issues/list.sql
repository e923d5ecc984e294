-- Issues with occurrences in the range: a page of them, and how many there are in each state, also for an empty page.
-- Counting by key first leaves one row a key for the join.
WITH counted AS (
    SELECT issue_key,
        count(*) AS events,
        max(time_ns) AS last_seen,
        count(*) FILTER (time_ns >= {middle_ns}) AS later
    FROM {relation}
    WHERE {where}
    GROUP BY issue_key
), found AS MATERIALIZED (
    SELECT id,
        any_value(number) AS number,
        any_value(state) AS state,
        any_value(first_seen_ns) AS first_seen,
        max(last_seen) AS last_seen,
        sum(events)::BIGINT AS events,
        sum(later)::BIGINT AS later
    FROM counted JOIN {issues} AS known USING (issue_key)
    WHERE {of_issue}
    GROUP BY id
), sorted AS (
    SELECT found.*, {value} AS value
    FROM found {more}
    WHERE state IN {states}
), page AS (
    SELECT * FROM sorted
    WHERE {after}
    ORDER BY value {direction}, id {direction}
    LIMIT {count}
)
SELECT page.*, states.*
FROM (
    SELECT count(*) FILTER (state = 'new') AS new,
        count(*) FILTER (state = 'ongoing') AS ongoing,
        count(*) FILTER (state = 'regressed') AS regressed,
        count(*) FILTER (state = 'resolved') AS resolved,
        count(*) FILTER (state = 'ignored') AS ignored
    FROM found
) AS states LEFT JOIN page ON true
ORDER BY value {direction}, id {direction}
