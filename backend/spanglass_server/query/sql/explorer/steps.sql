-- Steps, counted from the start, in which any record lies.
SELECT DISTINCT CAST(({time} - {start_ns}) // {step_ns} AS INTEGER) AS step FROM {relation} WHERE {where}
