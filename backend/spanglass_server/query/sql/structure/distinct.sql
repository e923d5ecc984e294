-- A set without what is in it twice, and no more of it than is kept.
SELECT DISTINCT * FROM ({found}) LIMIT {count}
