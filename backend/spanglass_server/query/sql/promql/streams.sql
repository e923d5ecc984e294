-- What tells the streams of one metric apart, by rising number.
SELECT stream{columns}
FROM (SELECT *, {stream} AS stream FROM {relation} WHERE {chosen} AND ({is_there} OR coalesce(flags & 1, 0) = 1))
GROUP BY stream
ORDER BY stream
