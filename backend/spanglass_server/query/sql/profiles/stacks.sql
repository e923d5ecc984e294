-- The stacks that were there for the longest time.
SELECT right(body, {characters}) AS stack, {sums}
FROM {relation}
WHERE {where}
GROUP BY body
ORDER BY {weight} DESC, body
LIMIT {count}
