-- Sessions, those first that were seen last.
SELECT *, count(*) OVER () AS total FROM ({sessions}) ORDER BY {order} DESC, first_ns, session_id, user_id LIMIT {count}
