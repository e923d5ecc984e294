SELECT * FROM {relation} WHERE {where}
