SELECT {counts} FROM {relation} WHERE {where}
