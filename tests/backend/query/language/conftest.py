"""A table of hand-made rows in a real DuckDB, and what a filter finds in it."""

import duckdb
import pytest

from spanglass_server.query.language import compile_filter, parse_filter
from spanglass_server.signals import Signal, quote_identifier, sql_type


def _table(signal, rows):
    """Make a table that has just the columns of these rows, and ``label``, the row's name in the test."""
    names = sorted({name for row in rows.values() for name in row})
    connection = duckdb.connect()
    columns = ", ".join(f"{quote_identifier(name)} {sql_type(signal, name)}" for name in names)
    connection.execute(f"CREATE TABLE records (label VARCHAR{', ' if columns else ''}{columns})")
    places = ", ".join("?" * (len(names) + 1))
    for label, row in rows.items():
        statement = f"INSERT INTO records VALUES ({places})"  # noqa: S608 - only question marks
        connection.execute(statement, [label, *(row.get(name) for name in names)])
    return connection, names


def _found(text, rows, signal=Signal.SPANS):
    """Labels of the rows that a filter matches. Columns it reads that no row has are added as null."""
    all_columns = {name for row in rows.values() for name in row}
    compiled = compile_filter(
        parse_filter(text), signal, {name for name in all_columns if "." in name or "overflow" in name}
    )
    filled = {label: {**dict.fromkeys(compiled.columns), **row} for label, row in rows.items()}
    connection, _ = _table(signal, filled)
    with connection:
        statement = f"SELECT label FROM records WHERE {compiled.sql} ORDER BY label"  # noqa: S608 - under test
        labels = [label for (label,) in connection.execute(statement, compiled.parameters).fetchall()]
    for label in labels:  # storage leaves out what has none of these values
        assert all(any(_has(rows[label], *value) for value in values) for values in compiled.values), label
    return " ".join(labels)


def _has(row, column, value):
    """Whether a row has a value in a column, or in the list there."""
    held = row.get(column)
    return value in held if isinstance(held, list) else value == held


@pytest.fixture(scope="session")
def found():
    """Run a filter over ``{label: {column: value}}``; the labels it finds, sorted, in one string."""
    return _found


@pytest.fixture(scope="session")
def table():
    """Make a DuckDB table ``records`` of ``{label: {column: value}}``; the connection and the column names."""
    return _table
