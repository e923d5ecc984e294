SELECT {grouping} AS grouped, {counts} FROM {relation} WHERE {where} GROUP BY grouped
