-- What was seen of each user and session in short pieces of time; of very many those of one in so many.
SELECT user_id, session_id, time_ns // {bin_ns} AS bin, min(time_ns) AS first_ns, max(time_ns) AS last_ns,
    count(*) AS records, sum(requests) AS requests, sum(errors) AS errors, sum(events) AS events
FROM ({seen})
WHERE (user_id IS NOT NULL OR session_id IS NOT NULL) AND ({chosen})
GROUP BY user_id, session_id, bin
