"""A reader's SQL: one guarded statement over the views, cut at a number of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

import duckdb

from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.rows.json_values import json_rows
from spanglass_server.query.sql_console.guard import Statement, check, refused
from spanglass_server.query.sql_console.views import open_views
from spanglass_server.signals import quote_identifier

if TYPE_CHECKING:
    import pyarrow as pa

    from spanglass_server.store.ports import QuerySession


class Column(TypedDict):
    """A column of a result, with its DuckDB type."""

    name: str
    type: str


class Result(TypedDict):
    """Rows of a statement, perhaps cut at the limit."""

    columns: list[Column]
    rows: list[list[Any]]
    truncated: bool


class TimedResult(Result):
    """The answer of ``POST /api/v1/sql``."""

    elapsed_ms: int


DEFAULT_LIMIT = 10_000
MAX_LIMIT = 1_000_000

#: Types that DuckDB writes more readably than Python does.
_AS_TEXT = frozenset({"INTERVAL", "BIT", "TIME", "TIME_NS", "TIME WITH TIME ZONE"})

#: What the author of a statement can mend. Everything else (out of memory, interrupted) is the engine's to report.
_AUTHORS_ERRORS = (
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.ParserException,
    duckdb.ConversionException,
    duckdb.OutOfRangeException,
    duckdb.InvalidInputException,
    duckdb.InvalidTypeException,
    duckdb.TypeMismatchException,
    duckdb.NotImplementedException,
    duckdb.SyntaxException,
    duckdb.ConstraintException,
)


def run_sql(session: QuerySession, sql: str, *, limit: int = DEFAULT_LIMIT) -> Result:
    """Answer ``POST /api/v1/sql``, without ``elapsed_ms``: ``columns`` (name, DuckDB type), ``rows``, ``truncated``.

    Raises ``BadQuestionError`` for a statement that is refused or wrong, with DuckDB's own message.
    """
    columns, table = _answer(session, sql, limit)
    return {
        "columns": columns,
        "rows": list(json_rows(table.slice(0, limit))),
        "truncated": table.num_rows > limit,
    }


def sql_table(session: QuerySession, sql: str, *, limit: int = MAX_LIMIT) -> pa.Table:
    """The answer as a table; ``BadQuestionError`` as ``run_sql``, and for an answer of more than ``limit`` rows."""
    _, table = _answer(session, sql, limit)
    if table.num_rows > limit:
        hint = f"raise limit (at most {MAX_LIMIT}), or let the statement group or filter"
        raise BadQuestionError(f"The answer has more than {limit} rows.", field="limit", hint=hint)
    return table


def _answer(session: QuerySession, sql: str, limit: int) -> tuple[list[Column], pa.Table]:
    """Columns and rows, one row more than the limit where there are more."""
    statement = check(session, sql)
    if not 1 <= limit <= MAX_LIMIT:
        raise BadQuestionError(f"limit is {limit}; give 1 to {MAX_LIMIT}.", field="limit")
    try:
        return _run(session, statement, limit)
    except _AUTHORS_ERRORS as error:
        hint = "DESCRIBE spans (or logs, metrics) lists the columns with their types."
        raise BadQuestionError(str(error), field="sql", hint=hint) from error


def _run(session: QuerySession, statement: Statement, limit: int) -> tuple[list[Column], pa.Table]:
    """Run over the columns that the statement names; over all of them when that does not bind."""
    named = statement.columns
    open_views(session, statement.views, named)
    try:
        columns = _columns(session, statement)
    except duckdb.BinderException:
        named = None
        open_views(session, statement.views)
        columns = _columns(session, statement)
    _check_tables(session, statement)
    open_views(session, statement.views, named)
    if statement.explain:
        return columns, session.execute(statement.sql)
    text = ", ".join(
        f"CAST({quote_identifier(column['name'])} AS VARCHAR) AS {quote_identifier(column['name'])}"
        for column in columns
        if column["type"] in _AS_TEXT
    )
    replaced = f" REPLACE ({text})" if text else ""
    # the guard has parsed the statement by itself, so it cannot reach outside the parentheses; one row more than
    # asked for tells whether rows were left out
    sql = f"SELECT *{replaced} FROM (\n{statement.sql}\n) LIMIT ?"  # noqa: S608
    return columns, session.execute(sql, [limit + 1])


def _check_tables(session: QuerySession, statement: Statement) -> None:
    """Refuse a statement that, by DuckDB's own rules of scope, reads more than the views do: the second wall.

    DuckDB can't name the tables of a view over ``read_parquet([...])``, so the views are replaced by empty ones.
    """
    for view in statement.views:
        described = session.rows(f"DESCRIBE {view}")
        empty = ", ".join(f"NULL::{row['column_type']} AS {quote_identifier(row['column_name'])}" for row in described)
        session.execute(f"CREATE OR REPLACE TEMP VIEW {view} AS SELECT {empty} WHERE false")
    beyond = session.table_names(statement.question)
    if beyond:
        raise refused(f"There is no table {min(beyond)!r}.")


def _columns(session: QuerySession, statement: Statement) -> list[Column]:
    """Names and DuckDB types of the result's columns."""
    if statement.explain:
        return [{"name": "explain_key", "type": "VARCHAR"}, {"name": "explain_value", "type": "VARCHAR"}]
    described = session.rows(f"DESCRIBE (SELECT * FROM (\n{statement.sql}\n))")  # noqa: S608 - see _run
    return [{"name": row["column_name"], "type": row["column_type"]} for row in described]
