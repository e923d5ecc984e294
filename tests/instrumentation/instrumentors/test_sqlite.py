"""sqlite3 with spans is sqlite3: same results, same exceptions, for every call of PEP 249 and of sqlite3's own."""

from __future__ import annotations

import gc
import pickle
import sqlite3
import weakref
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.instrumentation.sqlite3 import SQLite3Instrumentor
from sqlite_calls import OTHER_CALLS, Basket, Shop, Side, calls_with_statements, open_shop, outcome

bare_connect = sqlite3.connect


@pytest.fixture(scope="module")
def told(instrument):
    """Turn the instrumentation on for this module."""
    return instrument("sqlite3")


other_calls = st.sampled_from(sorted(OTHER_CALLS)).map(lambda name: (name, OTHER_CALLS[name]))
anything = st.one_of(calls_with_statements(), other_calls)
TABLE = "create table t (a integer primary key, b text)"
ROW = "insert into t (b) values ('b')"


@pytest.mark.parametrize("factory", [None, Shop], ids=["sqlite3's own", "a factory"])
@settings(max_examples=150, deadline=None, derandomize=True)
@given(calls=st.lists(anything, max_size=12), table=st.booleans())
def test_calls_do_what_they_do_without_us(told, factory, calls, table):
    """A random sequence of calls has equal outcomes on a bare connection and on one with spans."""
    with closing(Side(bare_connect, factory)) as bare, closing(Side(sqlite3.connect, factory)) as ours:
        for side in (bare, ours):
            if table:
                side.con.execute(TABLE).execute(ROW)
        for name, call in calls:
            assert (name, outcome(call, ours)) == (name, outcome(call, bare))
    told.spans()


@pytest.mark.parametrize("name", sorted(OTHER_CALLS))
@pytest.mark.parametrize("factory", [None, Shop], ids=["sqlite3's own", "a factory"])
def test_each_call_does_what_it_does_without_us(told, factory, name):
    """Every call that there is has an equal outcome, on a table with one row and before one that is read."""
    with closing(Side(bare_connect, factory)) as bare, closing(Side(sqlite3.connect, factory)) as ours:
        for side in (bare, ours):
            side.con.execute(TABLE).execute(ROW)
            side.cur.execute("select a, b from t")
        assert outcome(OTHER_CALLS[name], ours) == outcome(OTHER_CALLS[name], bare)
        assert outcome(OTHER_CALLS["fetchall"], ours) == outcome(OTHER_CALLS["fetchall"], bare)
    told.spans()


def test_a_database_out_of_bytes(told):
    """What one connection serializes, another takes."""
    with closing(sqlite3.connect(":memory:")) as connection, closing(sqlite3.connect(":memory:")) as other:
        connection.execute(TABLE).execute(ROW)
        connection.commit()
        other.deserialize(connection.serialize())
        assert other.execute("select b from t").fetchall() == [("b",)]
    assert told.names() == ["create", "insert", "select"]


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        ((), {}),
        ((1,), {}),
        ((":memory:", 1.0, 0, None, True, sqlite3.Connection, 10, False), {}),
        ((":memory:", 1.0, 0, None, True, Shop), {}),
        ((":memory:", 1.0, 0, None, True, None), {}),
        ((":memory:",), {"factory": None}),
        ((":memory:",), {"factory": int}),
        ((":memory:",), {"factory": open_shop}),
        ((":memory:",), {"factory": lambda *_args, **_kwargs: "no connection"}),
        ((":memory:",), {"unknown": 1}),
        (("/no/such/folder/shop.db",), {}),
    ],
)
def test_connecting(told, args, kwargs):
    """Whatever is given to ``connect``, it gives or raises what it does without us."""

    def closed(connect):
        made = connect(*args, **kwargs)
        if isinstance(made, sqlite3.Connection):
            made.close()
        return made

    made = [outcome(closed, connect) for connect in (sqlite3.connect, bare_connect)]
    assert made[0] == made[1]
    assert told.names() == []


def test_spans_of_every_way(told):
    """Statements of connections, cursors and an application's classes are one span each."""
    ways = {
        "connection": lambda con: con.execute("select 1"),
        "many": lambda con: con.executemany("delete from t where a = ?", []),
        "cursor": lambda con: con.cursor().execute("-- name: one :one\nselect 1"),
        "given": lambda con: con.cursor(factory=sqlite3.Cursor).execute("with a as (select 1) select * from a"),
        "own": lambda con: con.cursor(Basket).execute("SELECT('hunter2')"),
        "script": lambda con: con.executescript("-- two\nselect 1; delete from t"),
        "script of a cursor": lambda con: con.cursor().executescript("insert into t values (1); select 2"),
        "again": lambda con: con.execute("select 1").execute("pragma user_version"),
    }
    named = {}
    for way, run in ways.items():
        for factory in (sqlite3.Connection, Shop):
            with closing(sqlite3.connect(":memory:", factory=factory)) as connection, connection:
                connection.execute("create table t (a)")
                told.spans()
                run(connection)
            named[way, factory.__name__] = told.names()

    expected = {
        "connection": ["select"],
        "many": ["delete"],
        "cursor": ["select"],
        "given": ["select"],
        "own": ["SELECT"],
        "script": ["select"],
        "script of a cursor": ["insert"],
        "again": ["select", "pragma"],
    }
    assert named == {(way, factory): names for way, names in expected.items() for factory in ("Connection", "Shop")}


def test_a_factory_that_is_a_function(told):
    """A connection of the application's class that a function makes has spans, and is of that class."""
    with closing(sqlite3.connect(":memory:", factory=open_shop)) as connection:
        connection.execute("select 1")
        assert (connection.calls, connection.__class__, told.names()) == ([("select 1",)], Shop, ["select"])


def test_a_class_that_counts_its_subclasses_is_left_alone(told):
    """Deriving a class runs no code of the application's: such a class works, without spans."""
    derived = []

    class Counted(sqlite3.Connection):
        def __init_subclass__(cls):
            derived.append(cls)

    with closing(sqlite3.connect(":memory:", factory=Counted)) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    assert (type(connection), derived, told.names()) == (Counted, [], ["select"][:0])


def test_a_connection_that_is_instrumented_by_hand(told):
    """A connection that the application hands to OpenTelemetry itself has one span a statement."""
    with closing(sqlite3.connect(":memory:")) as connection:
        assert SQLite3Instrumentor.instrument_connection(connection) is connection
        SQLite3Instrumentor().instrument_connection(connection).execute("select 1")
    assert told.names() == ["select"]


def test_a_cursor_that_failed_is_released(told):
    """A cursor whose statement failed is gone with its last reference, and with it its locks, not when gc comes by."""
    gc.disable()
    try:
        with closing(sqlite3.connect(":memory:")) as connection:
            cursor = connection.cursor()
            gone = weakref.ref(cursor)
            with pytest.raises(sqlite3.OperationalError):
                cursor.execute("nonsense")
            del cursor
            assert gone() is None
    finally:
        gc.enable()
    assert told.names() == ["nonsense"]


def test_statements_without_an_operation(told):
    """Blank and comment-only statements are a span by the name of the database system; nothing of ours is raised."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for statement in ("", "  ", "-- nothing", "/* nothing */"):
            connection.execute(statement)

    assert told.names() == ["sqlite"] * 4


def test_the_durations_say_the_operation(told):
    """``db.client.operation.duration`` has the operation without the comment before it, and bounds for seconds."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("-- name: tables\nCREATE TABLE orders (n)")

    (point,) = [
        point
        for point in told.points("db.client.operation.duration")
        if point.attributes.get("db.operation.name") == "CREATE"
    ]
    assert told.names() == ["CREATE"]
    assert point.attributes["db.system.name"] == "sqlite"
    assert point.explicit_bounds == (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10)


def test_connect_is_one_function_that_can_be_pickled(told):
    """``sqlite3.connect`` is what ``sqlite3.dbapi2.connect`` is, and goes through pickle."""
    assert sqlite3.connect is sqlite3.dbapi2.connect
    assert pickle.loads(pickle.dumps(sqlite3.connect)) is sqlite3.connect  # noqa: S301 - its own
    assert told.names() == []
