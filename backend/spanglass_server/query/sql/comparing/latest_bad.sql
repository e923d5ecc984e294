SELECT * EXCLUDE (is_bad) FROM {relation} WHERE is_bad ORDER BY {time} DESC LIMIT {count}
