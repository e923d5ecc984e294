-- Records of a range under the names that a file has for them.
SELECT {columns} FROM (SELECT * FROM {relation} WHERE {where})
