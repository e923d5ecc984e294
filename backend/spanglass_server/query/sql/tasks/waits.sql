-- How long after it was sent a task began, of some tasks: the span that sent it is the one it links to, else its parent.
-- Of many traces every so many-th is looked at, on both sides.
WITH began AS (
    SELECT * FROM (
        SELECT {service} AS service, {system} AS system, {queue} AS queue, {task} AS task, start_time_ns,
            CASE WHEN len(link_span_id) > 0 THEN link_trace_id[1] ELSE trace_id END AS sent_trace,
            CASE WHEN len(link_span_id) > 0 THEN link_span_id[1] ELSE parent_span_id END AS sent_span
        FROM {relation}
        WHERE ({where}) AND ({is_run}) AND ({one_in} = 1 OR hash(sent_trace) % {one_in} = 0)
    ) SEMI JOIN {shown} AS shown USING (service, system, queue, task)
), sent AS (
    SELECT trace_id, span_id, start_time_ns + duration_ns AS sent_ns
    FROM {senders}
    WHERE kind = 4 AND ({one_in} = 1 OR hash(trace_id) % {one_in} = 0)
)
SELECT service, system, queue, task, approx_quantile(greatest(start_time_ns - sent_ns, 0), [0.5, 0.95]) AS took_ns
FROM began JOIN sent ON sent_trace = trace_id AND sent_span = span_id
GROUP BY ALL
