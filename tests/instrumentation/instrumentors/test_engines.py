"""SQLAlchemy's statements, measured and named, and aiosqlite beside and below it."""

from __future__ import annotations

import asyncio
import logging
import sqlite3

import aiosqlite
import pytest
import sqlalchemy
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import create_async_engine

DURATION = "db.client.operation.duration"


@pytest.fixture(scope="module")
def told(instrument):
    """Turn the instrumentations on for this module."""
    return instrument("sqlalchemy", "sqlite3", "aiosqlite")


def statements(told):
    """Return instrumentation, name, operation and parent of each statement's span."""
    spans = told.spans()
    names = {span.context.span_id: span.name for span in spans}
    return [
        (
            span.instrumentation_scope.name.rpartition(".")[2],
            span.name,
            span.attributes.get("db.operation.name"),
            names.get(span.parent.span_id) if span.parent else None,
        )
        for span in spans
        if span.kind.name == "CLIENT" and span.name != "connect"
    ]


def test_a_statement_is_measured(told, tmp_path):
    """The duration has operation, database and system; a failing statement its error, a commented one its operation."""
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path / 'shop.db'}")
    with engine.connect() as connection:
        connection.execute(text("CREATE TABLE orders (n)"))
        connection.execute(text("-- name: all\nWITH a AS (SELECT n FROM orders) SELECT * FROM a"))
        with pytest.raises(OperationalError):
            connection.execute(text("SELECT('hunter2') FROM missing"))
    engine.dispose()

    database = str(tmp_path / "shop.db")
    assert statements(told) == [
        ("sqlalchemy", f"CREATE {database}", "CREATE", None),
        ("sqlalchemy", f"SELECT {database}", "SELECT", None),
        ("sqlalchemy", f"SELECT {database}", "SELECT", None),
    ]
    points = told.points(DURATION)
    common = {"db.system.name": "sqlite", "db.namespace": database}
    found = [(dict(point.attributes), point.count) for point in points if point.attributes.get("db.namespace")]
    assert found == [
        ({**common, "db.operation.name": "CREATE"}, 1),
        ({**common, "db.operation.name": "SELECT"}, 1),
        ({**common, "db.operation.name": "SELECT", "error.type": "OperationalError"}, 1),
    ]
    assert {point.explicit_bounds[0] for point in points} == {0.001}
    assert all(0 < point.sum < 5 for point in points)


def test_aiosqlite_beside_sqlalchemy(told, tmp_path):
    """A statement of aiosqlite is one span, in the trace of whoever awaits it, and so is one of an engine above it."""
    database = tmp_path / "shop.db"
    tracer = told.tracers.get_tracer("shop")

    async def work():
        engine = create_async_engine(f"sqlite+aiosqlite:///{database}")
        async with aiosqlite.connect(database) as connection:
            with tracer.start_as_current_span("direct"):
                await connection.execute("CREATE TABLE t (n)")
                await (await connection.execute("SELECT n FROM t")).fetchall()
            with tracer.start_as_current_span("later"):
                await connection.execute_fetchall("SELECT 1")
        with tracer.start_as_current_span("engine"):
            async with engine.connect() as connection:
                await connection.execute(text("SELECT n FROM t"))
        await engine.dispose()

    asyncio.run(work())
    assert statements(told) == [
        ("sqlite3", "CREATE", None, "direct"),
        ("sqlite3", "SELECT", None, "direct"),
        ("sqlite3", "SELECT", None, "later"),
        ("sqlalchemy", f"SELECT {database}", "SELECT", "engine"),
    ]


def test_an_async_creator(told, tmp_path):
    """An engine over connections that a function of the application's opens has one span a statement, too."""

    async def opened():
        return await aiosqlite.connect(tmp_path / "shop.db")

    async def work():
        engine = create_async_engine("sqlite+aiosqlite://", async_creator=opened)
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
        await engine.dispose()

    asyncio.run(work())
    assert statements(told) == [("sqlalchemy", "SELECT", "SELECT", None)]


def test_the_log_of_aiosqlite_looks_as_before(told, caplog):
    """What aiosqlite says of a call at DEBUG names the application's function, and nothing of ours."""

    async def work():
        async with aiosqlite.connect(":memory:") as connection:
            await connection.create_function("shout", 1, str.upper)

    with caplog.at_level(logging.DEBUG, "aiosqlite"):
        asyncio.run(work())
    assert "spanglass" not in caplog.text
    assert "create_function of sqlite3.Connection" in caplog.text
    assert statements(told) == []


def test_a_factory_below_sqlalchemy(told):
    """A class of connections that an engine is given is used as it is."""

    class Shop(sqlite3.Connection):
        pass

    engine = sqlalchemy.create_engine("sqlite://", connect_args={"factory": Shop})
    with engine.connect() as connection:
        assert type(connection.connection.driver_connection) is Shop
        connection.execute(text("SELECT 1"))
    engine.dispose()
    assert statements(told) == [("sqlalchemy", "SELECT", "SELECT", None)]
