SELECT min(start_time_ns) AS first_ns FROM {relation} WHERE {where}
