-- Waiting for a lock or for a place in a pool, by what spans are called, or by statements that lock.
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
)
SELECT
    'lock_wait' AS kind, request, coalesce(shape, name) AS subject, left(coalesce(any_value(text), ''), {most_text}) AS detail,
    count(*) AS calls, sum(ns)::BIGINT AS waste_ns, arg_max(row, ns) AS span
FROM {spans}
WHERE ns >= {notable_ns} AND ns >= {notable_share} * request_ns
    AND (locks OR (is_leaf AND text IS NULL AND method IS NULL AND kind NOT IN (2, 4, 5) AND name IN (SELECT name FROM waits)))
GROUP BY request, subject
