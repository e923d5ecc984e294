-- those that are over: older than an age, and the oldest past a number
DELETE FROM reports
WHERE state IN ('done', 'failed') AND (
    created_ns < :before_ns
    OR number IN (SELECT number FROM reports WHERE state IN ('done', 'failed') ORDER BY number DESC LIMIT -1 OFFSET :most)
)
