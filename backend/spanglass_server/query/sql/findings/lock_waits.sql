-- Waiting for a lock or for a place in a pool, by what spans are called, or by statements that lock. It is doubtful
-- where few of those that are like it took long in the minute: a thread that waits for a processor may hold the lock.
WITH names AS (SELECT DISTINCT name FROM {spans} WHERE kind NOT IN (2, 4, 5) AND is_leaf AND text IS NULL AND method IS NULL),
in_words AS (
    SELECT name, regexp_replace(regexp_replace(name, '([a-z])([A-Z])', '\1 \2', 'g'), '[^A-Za-z0-9]+', ' ', 'g') AS words
    FROM names
),
waits AS (
    SELECT name
    FROM in_words
    WHERE regexp_matches(words, '(?i)\b(?:acquir\w*|await\w*|wait\w*|obtain\w*|checkout|borrow\w*|get|enter\w*|contend\w*)\b')
        AND regexp_matches(words, '(?i)\b(?:lock\w*|mutex|semaphore|latch|pool\w*|connection|slot|permit)\b')
),
of_locks AS (
    SELECT
        *, coalesce(shape, name) AS subject, avg((ns >= {notable_ns})::INTEGER) OVER of_minute AS long_share,
        count(*) OVER of_minute AS alike
    FROM {spans}
    WHERE locks OR (is_leaf AND text IS NULL AND method IS NULL AND kind NOT IN (2, 4, 5) AND name IN (SELECT name FROM waits))
    WINDOW of_minute AS (PARTITION BY service, coalesce(shape, name), start_ns // 60000000000)
)
SELECT
    'lock_wait' AS kind, request, subject, left(coalesce(any_value(text), ''), {most_text}) AS detail,
    count(*) AS calls, sum(ns)::BIGINT AS waste_ns, arg_max(row, ns) AS span,
    bool_and(long_share < {often} OR alike < {least_alike}) AS is_doubtful
FROM of_locks
WHERE ns >= {notable_ns} AND ns >= {notable_share} * request_ns
GROUP BY request, subject
