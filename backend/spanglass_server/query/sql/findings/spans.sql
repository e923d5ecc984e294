-- The spans of a stretch of time, each once, with statements and addresses in a form that like ones share.
WITH found AS (
    SELECT DISTINCT ON (trace_id, span_id, kind, service, start_ns, ns)
        *,
        CASE WHEN query IS NULL AND coalesce(url, path, address) IS NOT NULL
            THEN concat_ws(chr(31), coalesce(url, ''), coalesce(path, ''), coalesce(address, ''), coalesce(port, ''))
        END AS place  -- one text to join by
    FROM (
        SELECT
            trace_id, span_id, parent_span_id, left(coalesce(name, ''), 500) AS name, coalesce(kind, 0) AS kind,
            start_time_ns AS start_ns,
            least(duration_ns, 3600000000000) AS ns,  -- longer ones are mistakes, and their sums would not fit
             coalesce(status_code, 0) = 2 AS failed, link_trace_id[1] AS link_trace, link_span_id[1] AS link_span,
            {selected}
        FROM {relation} WHERE {where}
    )
),
shortened AS (
    SELECT
        query, regexp_replace(left(query, 2000), '''[^'']*''', '¿', 'g') AS text,
        query ILIKE '%limit%' AND regexp_matches(query, '(?i)\blimit\s+(?:[2-9]|\d\d)') AS is_page
    FROM (SELECT DISTINCT query FROM found WHERE query IS NOT NULL)
),
-- values first, as ¿, so that what is left are few texts
bare AS MATERIALIZED (
    SELECT
        query, is_page,
        regexp_replace(
            CASE
                WHEN contains(text, '/*') OR contains(text, '--')
                    THEN regexp_replace(text, '/\*.*?\*/|--[^\n]*', ' ', 'gs')
                ELSE text
            END,
            '\b\d[\d.]*\b', '¿', 'g'
        ) AS text
    FROM shortened
),
-- ids, placeholders; then lists of any length and rows of any number are one
without_values AS (
    SELECT
        text,
        regexp_replace(regexp_replace(regexp_replace(
            CASE
                WHEN regexp_matches(text, '[0-9a-fA-F]{8}') THEN regexp_replace(
                    text,
                    '\b[0-9a-fA-F]{8}-[0-9a-fA-F¿]+-[0-9a-fA-F¿]+-[0-9a-fA-F¿]+-[0-9a-fA-F¿]+\b|\b[0-9a-fA-F]{24,}\b',
                    '?', 'g')
                ELSE text
            END,
            '\$¿|%s|%\(\w+\)s|\?¿|¿', '?', 'g'),
            '\?+', '?', 'g'),
            '([\s(=,<>])[:@]\w+', '\1?', 'g') AS shape
    FROM (SELECT DISTINCT text FROM bare)
),
shapes AS (
    SELECT
        text,
        left(trim(regexp_replace(regexp_replace(regexp_replace(
            shape,
            '\(\s*\?(?:\s*,\s*\?)+\s*\)', '(?)', 'g'),
            '\(\?\)(?:\s*,\s*\(\?\))+', '(?)', 'g'),
            '\s+', ' ', 'g')), 400) AS shape,
        regexp_matches(text, '\$¿|%s|%\(\w+\)s|\?|[\s(=,<>][:@][A-Za-z_]') AS is_bound,
        regexp_matches(
            text, '(?i)\bin\s*\([^)]*,|\)\s*,\s*\(|\boffset\b|\bfetch\s+(?:next|first|forward)\b'
        ) AS is_batch,
        regexp_matches(
            text,
            '(?i)^\s*(?:begin|start|commit|rollback|savepoint|release|set|pragma|show|use|ping|discard|deallocate|close'
            || '|declare|prepare)\b|^\s*select\s+¿\s*;?\s*$'
        ) AS is_control,
        regexp_matches(
            text,
            '(?i)\bfor\s+(?:no\s+key\s+)?(?:update|share)\b|\bpg_(?:try_)?advisory_|\bget_lock\s*\(|^\s*lock\s+tables?\b'
            || '|^\s*begin\s+(?:immediate|exclusive)\b'
        ) AS locks
    FROM without_values
),
queries AS (
    SELECT bare.query, shapes.* EXCLUDE (text, is_batch), shapes.is_batch OR bare.is_page AS is_batch
    FROM bare JOIN shapes ON shapes.text = bare.text
),
addresses AS (
    SELECT DISTINCT
        place,
        coalesce(
            address || coalesce(':' || nullif(port, ''), ''), nullif(regexp_extract(url, '^\w+://(?:[^/@]*@)?([^/?#]+)', 1), '')
        ) AS host,
        coalesce(path, regexp_extract(url, '^\w+://[^/?#]+([^?#]*)', 1), '') AS bare_path
    FROM found WHERE place IS NOT NULL
),
targets AS (
    SELECT
        *,
        array_to_string(
            list_transform(
                string_split(left(bare_path, 1000), '/'),
                lambda part: CASE
                    WHEN regexp_full_match(part, 'v\d+') THEN part
                    WHEN regexp_matches(part, '\d') THEN '{}'
                    ELSE part
                END
            ),
            '/'
        ) AS path_shape
    FROM addresses
)
SELECT
    row_number() OVER () - 1 AS row,
    hash(found.trace_id, found.span_id, found.kind, found.service, found.start_ns, found.ns) AS mark,
    found.* EXCLUDE (url, path, address, port, query, place),
    found.query AS text,
    queries.shape,
    coalesce(queries.is_bound, false) AS is_bound,
    coalesce(queries.is_batch, false) AS is_batch,
    coalesce(queries.is_control, false) AS is_control,
    coalesce(queries.locks, false) AS locks,
    targets.host,
    coalesce(found.url, targets.host || targets.bare_path) AS target,
    targets.path_shape,
    found.start_ns + found.ns AS end_ns
FROM found
LEFT JOIN queries ON queries.query = found.query
LEFT JOIN targets ON targets.place = found.place
