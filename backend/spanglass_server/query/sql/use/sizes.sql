-- About how many users and sessions without one there are.
SELECT approx_count_distinct(coalesce(user_id, session_id)) AS about FROM ({seen})
