"""SQL over the views: columns, values as JSON, limits, errors, and the engine's lock."""

from __future__ import annotations

import time

import duckdb
import pytest

from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.sql_console.read import run_sql

SPAN = {
    "trace_id": b"\x01" * 16,
    "span_id": b"\x02" * 8,
    "name": "GET /",
    "kind": 2,
    "start_time_ns": 1_763_724_000_123_456_789,
    "duration_ns": 5_000_000,
    "status_code": 2,
    "resource.service.name:str": "web",
    "span.http.route:str": "/a",
}


def answer(session, sql, **options):
    """Run a statement and return its columns' names, and its rows."""
    found = run_sql(session, sql, **options)
    return [column["name"] for column in found["columns"]], found["rows"]


def test_views_show_ids_times_and_names_readably(open_tables):
    """Ids are hex, times are timestamps with nanoseconds, kinds and statuses are words."""
    session = open_tables(spans=[SPAN])
    _, rows = answer(
        session,
        "SELECT trace_id, span_id, parent_span_id, kind, status, service_name, start_time, end_time, duration_ms, "
        '"http.route" FROM spans',
    )
    assert rows == [
        [
            "01" * 16,
            "02" * 8,
            None,
            "server",
            "error",
            "web",
            "2025-11-21T11:20:00.123456789Z",
            "2025-11-21T11:20:00.128456789Z",
            5.0,
            "/a",
        ]
    ]


def test_log_and_metric_views(open_tables):
    """Severities and temporalities are words; a number's value is in one column, whatever its type."""
    session = open_tables(
        logs=[{"time_ns": 5, "severity_number": 17, "body": "x"}, {"time_ns": 6, "body": "y"}],
        metrics=[
            {"metric_name": "m", "time_ns": 5, "value_int": 2, "temporality": 2},
            {"metric_name": "n", "time_ns": 6, "value_double": 0.5},
        ],
    )
    assert answer(session, "SELECT severity, body FROM logs ORDER BY time")[1] == [["error", "x"], ["unset", "y"]]
    assert answer(session, "SELECT metric_name, value, temporality FROM metrics ORDER BY time")[1] == [
        ["m", 2.0, "cumulative"],
        ["n", 0.5, None],
    ]


def test_a_key_of_several_types_and_positions_is_one_column(open_tables):
    """A key's column takes the span's value before the resource's; each position has a column of its own too."""
    session = open_tables(
        spans=[
            SPAN | {"span.zone:int": 1, "resource.zone:str": "eu"},
            SPAN | {"resource.zone:str": "us"},
            SPAN | {"span.zone:double": 2.5},
        ]
    )
    _, rows = answer(session, 'SELECT zone, "span.zone", "resource.zone" FROM spans ORDER BY ALL')
    assert rows == [["1", 1.0, "eu"], ["2.5", 2.5, None], ["us", None, "us"]]


def test_a_key_named_like_a_column_is_found_under_its_position(open_tables):
    """An attribute called name does not hide the span's name."""
    session = open_tables(spans=[SPAN | {"span.name:str": "mine", "event.name:str": ["e"], "event_name": ["x"]}])
    assert answer(session, 'SELECT name, "span.name", "event.name" FROM spans')[1] == [["GET /", "mine", ["e"]]]


def test_keys_that_differ_in_case_are_one_column(open_tables):
    """DuckDB's names ignore case, so such keys share a column and none is lost."""
    session = open_tables(spans=[SPAN | {"span.^tenant:str": "a"}, SPAN | {"span.tenant:int": 7}])
    assert answer(session, "SELECT tenant FROM spans ORDER BY ALL")[1] == [["7"], ["a"]]


def test_every_type_becomes_json(open_tables):
    """Numbers stay exact, what JSON cannot hold is marked, nested values are walked."""
    sql = """
    SELECT 9007199254740993::BIGINT AS big, 1::HUGEINT AS huge, 1.5 AS decimal, 'nan'::DOUBLE AS nan,
        '-inf'::DOUBLE AS inf, '\\x01'::BLOB AS bytes, [1, NULL] AS list, {'a': [true]} AS struct, map {1: 'x'} AS map,
        TIMESTAMP '2020-01-01 10:00:00' AS time, [TIMESTAMP_NS '2020-01-01 00:00:00.000000001'] AS times,
        DATE '2020-01-01' AS day, TIME '10:00:00' AS clock, INTERVAL 90 MINUTE AS length, NULL AS nothing,
        'a'::ENUM ('a', 'b') AS enum, '00000000-0000-0000-0000-000000000001'::UUID AS uuid, '101'::BIT AS bits,
        union_value(k := 7) AS either, TIMESTAMP 'infinity' AS never
    """
    columns, rows = answer(open_tables(), sql)
    assert dict(zip(columns, rows[0], strict=True)) == {
        "big": "9007199254740993",
        "huge": 1,
        "decimal": 1.5,
        "nan": {"$double": "NaN"},
        "inf": {"$double": "-Infinity"},
        "bytes": {"$bytes": "AQ=="},
        "list": [1, None],
        "struct": {"a": [True]},
        "map": {"1": "x"},
        "time": "2020-01-01T10:00:00.000000000Z",
        "times": ["2020-01-01T00:00:00.000000001Z"],
        "day": "2020-01-01",
        "clock": "10:00:00",
        "length": "01:30:00",
        "nothing": None,
        "enum": "a",
        "uuid": "00000000-0000-0000-0000-000000000001",
        "bits": "101",
        "either": 7,
        "never": 9223372036854775807,
    }


def test_rows_are_cut_at_the_limit(open_tables):
    """One row over the limit is cut and said so; exactly the limit is whole. Order is kept."""
    session = open_tables()
    cut = run_sql(session, "SELECT * FROM range(10) t(n) ORDER BY n DESC", limit=3)
    assert (cut["rows"], cut["truncated"]) == ([[9], [8], [7]], True)
    assert run_sql(session, "SELECT * FROM range(3)", limit=3)["truncated"] is False


def test_columns_have_duckdb_types(open_tables):
    """Two columns of one name are told apart, and types are DuckDB's."""
    found = run_sql(open_tables(), "SELECT 1 AS a, 'x' AS a, [1.5::DOUBLE] AS b -- end")
    assert found["columns"] == [
        {"name": "a", "type": "INTEGER"},
        {"name": "a_1", "type": "VARCHAR"},
        {"name": "b", "type": "DOUBLE[]"},
    ]


def test_statements_about_the_views(open_tables):
    """SHOW TABLES, DESCRIBE, SUMMARIZE and EXPLAIN answer."""
    session = open_tables(spans=[SPAN])
    assert answer(session, "SHOW TABLES")[1] == [
        ["logs"],
        ["metrics"],
        ["monitoring_metrics"],
        ["occurrences"],
        ["spans"],
    ]
    assert ["http.route", "VARCHAR"] in [row[:2] for row in answer(session, "DESCRIBE spans")[1]]
    assert "name" in [row[0] for row in answer(session, "SUMMARIZE SELECT name FROM spans")[1]]
    assert answer(session, "EXPLAIN SELECT name FROM spans")[1][0][0] == "physical_plan"


def test_only_named_columns_are_read(open_tables):
    """A view has just the columns that a statement names: planning hundreds of others would cost more than reading."""
    session = open_tables(spans=[SPAN])
    assert answer(session, "SELECT count(*) FROM spans WHERE kind = 'server'")[1] == [[1]]
    views = [statement for statement in session.statements if "TEMP VIEW" in statement]
    assert views
    assert not any("http.route" in view for view in views)


@pytest.mark.parametrize("sql", ["SELECT nope FROM spans", "SELECT 'x'::INT", "SELECT ?", "SELECT f(1)"])
def test_a_wrong_statement_is_the_authors(open_tables, sql):
    """What DuckDB finds wrong with a statement is told as the author's mistake."""
    with pytest.raises(BadQuestionError) as wrong:
        run_sql(open_tables(), sql)
    assert wrong.value.field == "sql"


def test_an_unknown_column_names_close_ones(open_tables):
    """The candidates come from all columns of the view, not only from those named."""
    with pytest.raises(BadQuestionError, match="status_message"):
        run_sql(open_tables(spans=[SPAN]), "SELECT status_mesage FROM spans")


@pytest.mark.parametrize("limit", [0, 1_000_001])
def test_limits_out_of_range_are_refused(open_tables, limit):
    """A limit has bounds, and the error names it."""
    with pytest.raises(BadQuestionError) as wrong:
        run_sql(open_tables(), "SELECT 1", limit=limit)
    assert wrong.value.field == "limit"


def test_a_locked_engine_reads_its_own_files_only(tmp_path):
    """The settings that the engine locks keep files outside the data directory closed, and cannot be undone."""
    inside = tmp_path / "data"
    inside.mkdir()
    connection = duckdb.connect()
    connection.execute(f"COPY (SELECT 1 AS a) TO '{inside}/a.parquet'")
    connection.execute(f"COPY (SELECT 1 AS a) TO '{tmp_path}/b.parquet'")
    connection.execute(f"SET allowed_directories = ['{inside}/']")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    assert connection.execute(f"FROM '{inside}/a.parquet'").fetchall() == [(1,)]
    with pytest.raises(duckdb.PermissionException):
        connection.execute(f"FROM '{tmp_path}/b.parquet'")
    with pytest.raises(duckdb.PermissionException):
        connection.execute(f"FROM '{inside}/../b.parquet'")
    with pytest.raises(duckdb.InvalidInputException):
        connection.execute("SET enable_external_access = true")
    connection.close()


class Blind:
    """A session whose tables the guard can't see: it stands for a statement that the guard judges wrongly."""

    def __init__(self, session):
        self._session = session

    def __getattr__(self, name):
        return getattr(self._session, name)

    def table_names(self, sql):
        """Name one table more than the views for the statement itself."""
        return self._session.table_names(sql) | (set() if sql.startswith("FROM ") else {"elsewhere"})


def test_a_statement_that_the_guard_misjudges_is_refused(open_tables):
    """What DuckDB says that a statement reads beyond the views refuses it, whatever the guard has found."""
    with pytest.raises(BadQuestionError, match="There is no table 'elsewhere'"):
        run_sql(Blind(open_tables()), "SELECT count(*) FROM spans")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM logs WHERE time > now() - INTERVAL 1 HOUR",
        "FROM logs SELECT count(*) WHERE time > current_timestamp - INTERVAL '1 h' AND time <= transaction_timestamp()",
        "SELECT count(*) FROM logs WHERE time BETWEEN now() - INTERVAL 1 HOUR AND now()",
        "SELECT count(*) FROM logs WHERE now() - time < INTERVAL 1 HOUR",
        "SELECT count(*) FROM logs WHERE date_diff('minute', time, now()) < 60;",
        "SELECT count(*) FROM logs WHERE time >= today() - 1 -- yesterday and today",
    ],
)
def test_times_compare_with_the_clock(open_tables, sql):
    """A view's times compare with every way to write the present."""
    now_ns = time.time_ns()
    session = open_tables(logs=[{"time_ns": now_ns - age * 60_000_000_000} for age in (5, 3 * 24 * 60)])
    assert answer(session, sql)[1] == [[1]]
