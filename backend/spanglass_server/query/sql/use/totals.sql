-- Totals of users and of sessions, told apart by `of`, from one look at what was seen.
WITH seen AS MATERIALIZED ({bins})
SELECT 'users' AS of, * FROM ({users})
UNION ALL BY NAME
SELECT 'sessions' AS of, * FROM ({sessions})
