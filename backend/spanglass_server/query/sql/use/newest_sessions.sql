-- Sessions, those first that were seen last.
SELECT *, count(*) OVER () AS total, row_number() OVER (ORDER BY {order} DESC, first_ns, session_id, user_id) AS place
FROM ({sessions})
QUALIFY place <= {count}
