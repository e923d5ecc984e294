SELECT (SELECT count(*) FROM ({all})) - (SELECT count(*) FROM ({kept})) AS points
