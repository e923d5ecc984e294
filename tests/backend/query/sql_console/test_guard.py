"""What a reader's SQL may do, and what it may not."""

from __future__ import annotations

import re

import pytest

from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.sql_console.guard import FUNCTIONS, check

#: Functions of DuckDB that are not a function of their arguments alone, and may be used all the same.
HARMLESS_VOLATILE = {
    *("now", "today", "get_current_time", "get_current_timestamp", "transaction_timestamp", "current_date"),
    *("random", "uuid", "uuidv4", "uuidv7", "gen_random_uuid"),
    "error",  # makes the statement fail with a text of its own
}

#: Functions of DuckDB that read or change the engine, run text, serve its optimizer or other clients, or waste time.
NOT_FOR_READERS = re.compile(
    r"__.*|!__postfix|(col|obj|shobj)_description|combine|finalize|create_sort_key|constant_or_null"
    r"|can_cast_implicitly|current_(catalog|connection_id|database|query|query_id|role|schema|schemas|setting)"
    r"|current_(transaction_id|user)|format_pg_type|format_type|get_block_size|getvariable|getenv|make_type"
    r"|replace_type|has_.*_privilege|in_search_path|inet_.*|json_deserialize_sql|json_serialize_.*|map_to_pg_oid"
    r"|nextval|currval|parse_duckdb_log_message|pg_(?!size_pretty|typeof).*|session_user|user|setseed|sleep_ms|stats"
    r"|txid_current|vector_type|version|write_log|timetz_byte_comparable|variant_bytes_to_variant|variant_normalize"
    r"|variant_to_parquet_variant|st_.*|remap_struct|icu_.*|bar|sum_no_overflow"
)

ATTACKS = {
    "a file by its path": "SELECT * FROM '/etc/passwd'",
    "a file in double quotes": 'SELECT * FROM "/etc/passwd"',
    "a segment": "SELECT * FROM 'segments/spans/1.parquet'",
    "a file in a subquery": "SELECT (SELECT count(*) FROM 'x.csv')",
    "a file in a common table expression": "WITH a AS (SELECT * FROM 'x.csv') SELECT * FROM a",
    "a file in a join's condition": "SELECT 1 FROM spans JOIN logs ON (SELECT true FROM 'x.csv')",
    "a file in EXISTS": "SELECT 1 WHERE EXISTS (FROM 'x.csv')",
    "a file in a lateral join": "SELECT * FROM spans, LATERAL (SELECT * FROM 'x.csv')",
    "a file in ORDER BY": "SELECT 1 ORDER BY (SELECT count(*) FROM 'x.csv')",
    "a file in LIMIT": "SELECT 1 LIMIT (SELECT count(*) FROM 'x.csv')",
    "a file in a window": "SELECT sum(1) OVER (ORDER BY (SELECT 1 FROM 'x.csv'))",
    "a file in a union": "SELECT 1 UNION ALL SELECT * FROM 'x.csv'",
    "a file in a recursive query": "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n FROM r, 'x.csv') FROM r",
    "a file in a pivot": "SELECT * FROM (PIVOT 'x.csv' ON a IN (1) USING count(*))",
    "a file described": "DESCRIBE SELECT * FROM 'x.csv'",
    "a file summarised": "SUMMARIZE 'x.csv'",
    "a file explained": "EXPLAIN ANALYZE SELECT * FROM 'x.csv'",
    "a file in lambda": "SELECT list_transform([1], lambda x: (SELECT 1 FROM 'x.csv'))",
    "a table that a CTE of the same name hides": 'WITH "x.csv" AS (FROM "x.csv") FROM "x.csv"',
    "a CTE's name outside its scope": 'SELECT * FROM (WITH "x.csv" AS (SELECT 1) FROM "x.csv"), "x.csv"',
    "a recursive CTE's name in its first term": "WITH RECURSIVE r AS (FROM r UNION ALL SELECT n FROM r) FROM r",
    "a version": "SELECT version()",
    "a sleep": "SELECT pg_sleep(1)",
    "an unknown function": "SELECT no_such_function(1)",
    "a CTE used before it is there": "WITH a AS (FROM b), b AS (SELECT 1) FROM a",
    "read_csv": "FROM read_csv('/etc/passwd')",
    "read_parquet": "FROM read_parquet(['a.parquet'])",
    "read_json": "FROM read_json_auto('x.json')",
    "read_text": "FROM read_text('/etc/passwd')",
    "read_blob": "FROM read_blob('/etc/*')",
    "glob": "FROM glob('/*')",
    "sniff_csv": "FROM sniff_csv('x.csv')",
    "parquet_metadata": "FROM parquet_metadata('a.parquet')",
    "query": "FROM query('SELECT 1')",
    "query_table": "FROM query_table(['/etc/passwd'])",
    "histogram, whose table is a text": "FROM histogram('/etc/passwd', 'a')",
    "a schema before a function": "FROM system.main.read_csv('x')",
    "settings": "FROM duckdb_settings()",
    "secrets": "FROM duckdb_secrets()",
    "the engine's tables": "FROM duckdb_tables()",
    "the information schema": "FROM information_schema.tables",
    "the engine's catalog": "FROM pg_catalog.pg_class",
    "a stored table": "FROM stored_spans",
    "a registered buffer": "FROM memory_1",
    "a view with a schema": "FROM main.spans",
    "current_setting": "SELECT current_setting('allowed_directories')",
    "current_setting in capitals": "SELECT CURRENT_SETTING('temp_directory')",
    "current_setting with a schema": "SELECT system.main.current_setting('temp_directory')",
    "a plan of another statement": "SELECT json_serialize_plan('SELECT * FROM read_csv(''x'')')",
    "a statement run from text": "FROM json_execute_serialized_sql('{}')",
    "getenv": "SELECT getenv('HOME')",
    "wasting time": "SELECT sleep_ms(100000)",
    "writing the log": "SELECT write_log('x')",
    "SHOW DATABASES": "SHOW DATABASES",
    "SHOW ALL TABLES": "SHOW ALL TABLES",
    "SHOW of a setting": "SELECT * FROM (SHOW DATABASES)",
    "two statements": "SELECT 1; SELECT 2",
    "two statements, the second bad": "SELECT 1; DROP TABLE stored_spans",
    "EXPLAIN of two statements": "EXPLAIN SELECT 1; DROP TABLE stored_spans",
    "leaving the parentheses": "SELECT 1) UNION ALL (FROM 'x.csv'",
    "COPY": "COPY spans TO 'x.csv'",
    "EXPLAIN ANALYZE of COPY": "EXPLAIN ANALYZE COPY (SELECT 1) TO 'x.csv'",
    "EXPLAIN of EXPLAIN": "EXPLAIN EXPLAIN ANALYZE COPY (SELECT 1) TO 'x.csv'",
    "EXPORT": "EXPORT DATABASE 'x'",
    "IMPORT": "IMPORT DATABASE 'x'",
    "ATTACH": "ATTACH 'x.db'",
    "DETACH": "DETACH memory",
    "USE": "USE memory",
    "INSTALL": "INSTALL httpfs",
    "LOAD": "LOAD 'x.duckdb_extension'",
    "SET": "SET threads = 1",
    "RESET": "RESET threads",
    "PRAGMA": "PRAGMA database_list",
    "CALL": "CALL pragma_version()",
    "INSERT": "INSERT INTO stored_spans SELECT * FROM stored_spans",
    "UPDATE": "UPDATE stored_spans SET name = ''",
    "DELETE": "DELETE FROM stored_spans",
    "CREATE TABLE": "CREATE TABLE t AS SELECT 1",
    "CREATE MACRO": "CREATE MACRO f() AS TABLE FROM read_csv('x')",
    "CREATE SECRET": "CREATE SECRET (TYPE s3)",
    "DROP": "DROP VIEW spans",
    "ALTER": "ALTER TABLE stored_spans ADD COLUMN a INT",
    "VACUUM": "VACUUM",
    "CHECKPOINT": "CHECKPOINT",
    "BEGIN": "BEGIN TRANSACTION",
    "PREPARE": "PREPARE p AS SELECT 1",
    "EXECUTE": "EXECUTE p",
    "SET VARIABLE": "SET VARIABLE a = 1",
    "a NUL character": "SELECT 1\x00; DROP TABLE stored_spans",
    "nothing": "  ;  ",
    "only a comment": "-- nothing",
    "no SQL": "hello",
    "a statement too long": "SELECT '" + "x" * 100_000 + "'",
    "a statement too deep": "SELECT " + "(SELECT " * 2000 + "1" + ")" * 2000,
}


@pytest.mark.parametrize("sql", ATTACKS.values(), ids=ATTACKS.keys())
def test_what_could_reach_past_the_views_is_refused(open_tables, sql):
    """A statement that names a file, the engine or more than one statement is refused before it runs."""
    session = open_tables()
    session.connection.execute("SET python_enable_replacements = false")
    with pytest.raises(BadQuestionError) as refused:
        check(session, sql)
    assert refused.value.field == "sql"
    assert refused.value.message
    assert all("json_serialize_sql" in statement for statement in session.statements)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "select count(*) from spans;",
        "SELECT 1 AS x; -- done",
        "SELECT ';' /* ; */ ;; -- 'a'\n/* ; */",
        "-- first\nEXPLAIN SELECT 'é' AS x ;-- ;",
        "WITH a AS (SELECT 1 AS n) FROM (WITH RECURSIVE a AS (FROM a UNION ALL SELECT n FROM a WHERE n < 1) FROM a)",
        "FROM Spans",
        "TABLE spans",
        "VALUES (1), (2)",
        "WITH spans AS (FROM spans WHERE duration_ns > 5) FROM spans",
        "WITH a AS (SELECT 1 AS n), b AS (FROM a) FROM b, a",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 9) FROM r",
        "SELECT * FROM range(5), generate_series(1, 3), unnest([1, 2])",
        "SELECT * FROM (PIVOT spans ON kind IN ('server') USING count(*))",
        "SELECT * FROM (UNPIVOT (SELECT 1 AS a, 2 AS b) ON a, b)",
        "SELECT s.name, l.body FROM spans s JOIN logs l USING (trace_id)",
        "SELECT list_transform([1, 2], lambda x: x + 1), now(), random()",
        "DESCRIBE logs",
        "SUMMARIZE SELECT value FROM metrics",
        "SHOW TABLES",
        "EXPLAIN SELECT name FROM spans",
        "explain analyze FROM spans",
        "SELECT 'from ''/etc/passwd''' -- FROM 'x.csv'",
        "SELECT 1 /* ; DROP TABLE x */",
    ],
)
def test_reading_is_allowed(open_tables, sql):
    """Any question to the views, over as many parts as SQL has, passes."""
    check(open_tables(), sql)


def test_every_function_is_judged(open_tables):
    """Each function that DuckDB has is allowed, or one of those that are not meant for readers; none else is named."""
    found = open_tables().connection.execute(
        "SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type IN ('scalar', 'aggregate', 'macro')"
    )
    names = {name.lower() for (name,) in found.fetchall()}
    assert {name for name in names - FUNCTIONS if not NOT_FOR_READERS.fullmatch(name)} == set()
    assert {name for name in FUNCTIONS if NOT_FOR_READERS.fullmatch(name)} == set()
    assert FUNCTIONS - names == {"unnest", "grouping"}


def test_functions_that_change_are_known(open_tables):
    """Of the allowed functions these alone are no function of their arguments."""
    found = open_tables().connection.execute(
        "SELECT DISTINCT function_name FROM duckdb_functions() "
        "WHERE function_type = 'scalar' AND stability <> 'CONSISTENT'"
    )
    assert {name for (name,) in found.fetchall()} & FUNCTIONS == HARMLESS_VOLATILE


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("SELECT name, s.kind FROM spans s WHERE \"http.route\" = '/'", {"name", "s", "kind", "http.route"}),
        ("SELECT count(*) FROM spans", set()),
        ("SELECT l.body FROM spans JOIN logs l USING (Trace_Id)", {"l", "body", "trace_id"}),
        ("FROM spans", None),
        ("SELECT s FROM spans s", None),
        ("SELECT COLUMNS('a.*') FROM spans", None),
        ("SELECT name FROM spans NATURAL JOIN logs", None),
        ("SELECT #1 FROM spans", None),
        ("DESCRIBE spans", None),
    ],
)
def test_columns_a_statement_needs(open_tables, sql, columns):
    """The names that a statement mentions are known, and that it may need all columns where it names none."""
    assert check(open_tables(), sql).columns == columns
