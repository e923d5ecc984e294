-- How many points each window has.
SELECT (time_ns - {ms_ns}) // {window_ns} * {window_ns} AS start_ns, count(*) AS n FROM {relation} GROUP BY ALL
