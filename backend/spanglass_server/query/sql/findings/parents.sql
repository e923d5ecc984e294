-- The row of each span's parent. Where spans share an id, it is the one of the same service.
SELECT child.row, arg_max(parent.row, (parent.service = child.service)::INTEGER) AS parent
FROM {spans} AS child
JOIN {spans} AS parent
    ON parent.trace_id = child.trace_id AND parent.span_id = child.parent_span_id AND parent.row <> child.row
GROUP BY child.row
