-- the issue that one is merged into, over any number of steps, or itself
WITH RECURSIVE up (issue, step) AS (
    SELECT ?, 0
    UNION
    SELECT merges.target, step + 1 FROM merges JOIN up ON merges.issue = up.issue WHERE merges.undone_ns IS NULL
)
SELECT issue FROM up ORDER BY step DESC LIMIT 1
