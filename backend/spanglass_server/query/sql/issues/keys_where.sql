issue_key IN (SELECT issue_key FROM {issues} WHERE {condition})
