-- Totals of users and of sessions, and lists of both, told apart by `of`, from one look at what was seen.
WITH seen AS MATERIALIZED ({bins}),
told_of_all AS MATERIALIZED ({told}),
all_sessions AS MATERIALIZED ({all_sessions})
SELECT 'users' AS of, * FROM ({users})
UNION ALL BY NAME
SELECT 'sessions' AS of, * FROM ({sessions})
UNION ALL BY NAME
SELECT 'listed users' AS of, * FROM ({listed_users})
UNION ALL BY NAME
SELECT 'listed sessions' AS of, * FROM ({listed_sessions})
