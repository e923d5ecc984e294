-- Some maps of a column; LIMIT stands inside, so that a column without any is not read to its end.
SELECT {values} AS maps FROM (
    SELECT {column} FROM {relation}
    WHERE {where}
    LIMIT {count}
)
