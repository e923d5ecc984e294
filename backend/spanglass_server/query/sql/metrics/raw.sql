-- The newest points of some series as they were sent.
SELECT * {labels} FROM ({points}) WHERE list_contains({series}::UBIGINT[], series) ORDER BY time_ns DESC LIMIT {limit}
