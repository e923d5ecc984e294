"""One call of a database is one span, and every engine is seen."""

from __future__ import annotations

import pytest

QUERY = """
def query(engine):
    from sqlalchemy import text
    with engine.connect() as connection:
        connection.execute(text("select 1"))
"""
ONE = [["sqlalchemy", "connect", "client"], ["sqlalchemy", "select", "client"]]


def test_sqlalchemy_over_sqlite(script):
    """SQLAlchemy's span stands alone; a connection of the application's own is still seen."""
    result = script(f"""
install()
import sqlite3
from sqlalchemy import create_engine
{QUERY}
query(create_engine("sqlite://"))
give([taken(), sqlite3.connect(":memory:").execute("select 2").fetchone(), taken()])
""")

    assert result == [ONE, [2], [["sqlite3", "select", "client"]]]


def test_sqlalchemy_with_a_creator(script):
    """A function that opens the connections of an engine is recognized too."""
    result = script(f"""
install()
import sqlite3
from sqlalchemy import create_engine
{QUERY}
query(create_engine("sqlite://", creator=lambda: sqlite3.connect(":memory:")))
give(taken())
""")

    assert result == ONE


def test_without_sqlalchemys_instrumentation_the_driver_has_its_spans(script):
    """Where SQLAlchemy is not instrumented, what its connections do is seen by the driver's instrumentation."""
    result = script(f"""
install(disabled_instrumentations=["sqlalchemy"])
from sqlalchemy import create_engine
{QUERY}
query(create_engine("sqlite://"))
give(taken()[-1])
""")

    assert result == ["sqlite3", "select", "client"]


@pytest.mark.parametrize(
    ("before", "after"),
    [("engine = create_engine('sqlite://')", ""), ("", "engine = create_engine('sqlite://')")],
    ids=["made before", "create_engine imported before"],
)
def test_engines_that_upstream_misses(script, before, after):
    """An engine that was made before, or by a name imported before, is instrumented when it connects, and once."""
    result = script(f"""
from sqlalchemy import create_engine
{QUERY}
{before}
install()
{after}
query(engine)
query(engine)
give([taken(), states()["sqlalchemy"].state])
""")

    assert result == [ONE * 2, "active"]


def test_engines_that_upstream_sees_are_instrumented_once(script):
    """With SQLAlchemy imported before, an engine made by the replaced function has one span a statement."""
    result = script(f"""
import sqlalchemy
install()
{QUERY}
query(sqlalchemy.create_engine("sqlite://"))
give(taken())
""")

    assert result == ONE


def test_shortcuts_of_sqlite(script):
    """Connection.execute and executemany are spans, work as before, and the connection is still one of sqlite3's."""
    result = script("""
        install()
        import sqlite3
        with sqlite3.connect(":memory:") as connection:
            connection.execute("create table t (n)")
            connection.executemany("insert into t values (?)", [(1,), (2,)])
        rows = connection.execute("select n from t where n > ?", (1,)).fetchall()
        give([rows, taken(), isinstance(connection, sqlite3.Connection)])
    """)

    assert result == [
        [[2]],
        [["sqlite3", "create", "client"], ["sqlite3", "insert", "client"], ["sqlite3", "select", "client"]],
        True,
    ]


def test_psycopg(script, postgres):
    """Alone, psycopg makes spans, sync and async; below SQLAlchemy it makes none, sync and async."""
    result = script(f"""
install()
import asyncio, psycopg
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import create_async_engine
dsn = {postgres.dsn()!r}
url = dsn.replace("postgresql:", "postgresql+psycopg:")
{QUERY}
with psycopg.connect(dsn) as connection:
    connection.execute("select 1")
alone = taken()
async def asynchronous():
    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        await connection.execute("select 1")
    first = taken()
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        await connection.execute(text("select 1"))
    await engine.dispose()
    return first, taken()
first, over = asyncio.run(asynchronous())
query(create_engine(url))
statements = [each for each in taken() if each[1] != "connect"]
give([alone, first, [each for each in over if each[0] != "sqlalchemy"], statements])
""")

    span = ["psycopg", "select", "client"]
    assert result == [[span], [span], [], [["sqlalchemy", "select postgres", "client"]]]


def test_sqlalchemys_asynchronous_half_is_not_imported_for_it(script):
    """Instrumenting SQLAlchemy, and taking that back, imports no ORM; an async engine imported later has one tracer."""
    result = script("""
import sqlalchemy
take_back = install()
imported = ["sqlalchemy.orm" in sys.modules]
take_back()
imported += ["sqlalchemy.orm" in sys.modules, hasattr(sqlalchemy.ext, "asyncio")]
install()
from opentelemetry.instrumentation.sqlalchemy.engine import EngineTracer
from sqlalchemy.ext.asyncio import create_async_engine
engine = create_async_engine("postgresql+psycopg://127.0.0.1:1/none")
listening = [entry[0]() for entry in EngineTracer._remove_event_listener_params if entry[1] == "before_cursor_execute"]
give([imported, [each is engine.sync_engine for each in listening]])
""")

    assert result == [[False, False, False], [True]]


def test_aiosqlite_imports_sqlite3_itself(script):
    """Where aiosqlite is what imports sqlite3, its statements are spans, one each, below SQLAlchemy too."""
    result = script("""
install()
import aiosqlite, asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
async def work():
    async with aiosqlite.connect(":memory:") as connection:
        await connection.execute("select 1")
    engine = create_async_engine("sqlite+aiosqlite://")
    async with engine.connect() as connection:
        await connection.execute(text("select 2"))
    await engine.dispose()
asyncio.run(work())
give(taken())
""")

    assert result == [["sqlite3", "select", "client"], *ONE]
