UPDATE issues SET
    state = ?, resolved_how = ?, resolved_ns = ?, resolved_release = ?, resolved_after_ns = ?,
    ignored_until = ?, ignored_ns = ?, ignored_limit = ?
WHERE number = ?
