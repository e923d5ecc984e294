-- an issue and all that is merged into it, over any number of steps
WITH RECURSIVE members (issue) AS (
    SELECT ?
    UNION
    SELECT merges.issue FROM merges JOIN members ON merges.target = members.issue WHERE merges.undone_ns IS NULL
)
SELECT issue FROM members
