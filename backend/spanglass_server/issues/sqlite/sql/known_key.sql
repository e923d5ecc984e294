-- a key, its issue, and what that is merged into
SELECT merges.target, keys.*, issues.*
FROM keys
JOIN issues ON issues.number = keys.issue
LEFT JOIN merges ON merges.issue = keys.issue AND merges.undone_ns IS NULL
WHERE keys.key = ?
