"""psycopg and psycopg2 with spans do what they do without, on a real PostgreSQL."""

from __future__ import annotations

import asyncio
import re
from contextlib import closing, suppress

import asyncpg
import psycopg
import psycopg2
import psycopg2.extensions
import psycopg2.extras
import pytest
from opentelemetry.instrumentation import dbapi
from psycopg import sql
from psycopg.rows import dict_row, namedtuple_row
from psycopg.types.json import Jsonb
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from spanglass.instrumentors.databases import cursors

bare_connect = psycopg.connect
bare_connect2 = psycopg2.connect


@pytest.fixture(scope="module")
def told(instrument):
    """Turn the instrumentations on for this module."""
    return instrument("psycopg", "psycopg2", "asyncpg", "sqlalchemy")


class Basket(psycopg.Cursor):
    """A cursor of the application's."""

    def first(self, statement):
        """Return the first value."""
        return self.execute(statement).fetchone()[0]


def make_basket(*args, **kwargs):
    """Make a cursor, as a factory that is no class."""
    return Basket(*args, **kwargs)


def dictionaries(*args, **kwargs):
    """Make a connection, as a factory that is no class."""
    return psycopg2.extras.DictConnection(*args, **kwargs)


class Shop(psycopg.Connection):
    """A connection that always uses the application's cursors."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.cursor_factory = Basket


def named(con):
    """Read with a cursor of the server."""
    with con.cursor("named") as cur:
        return type(cur).__name__, cur.execute("SELECT generate_series(1, 3)").fetchall()


def copy_in(con):
    """Copy rows in and out."""
    con.execute("CREATE TEMP TABLE IF NOT EXISTS copied (n int)")
    with con.cursor() as cur:
        with cur.copy("COPY copied FROM STDIN") as copy:
            copy.write_row((1,))
        with cur.copy("COPY copied TO STDOUT") as copy:
            return list(copy.rows())


def transaction(con):
    """Give a transaction up, within another."""
    with con.transaction() as outer:
        with suppress(psycopg.errors.DivisionByZero), con.transaction():
            con.execute("SELECT 1/0")
        return type(outer).__name__, con.execute("SELECT 2").fetchone()


def piped(con):
    """Send statements in a pipeline."""
    with con.pipeline(), con.cursor() as cur:
        cur.execute("SELECT 1")
        cur.execute("SELECT 2")
        return cur.fetchone()


CALLS = {
    "execute": lambda con: con.execute("SELECT %s::int", (1,)).fetchone(),
    "keywords": lambda con: con.cursor().execute(query="SELECT %(n)s::int", params={"n": 1}).fetchone(),
    "bytes": lambda con: con.execute(b"SELECT 1").fetchone(),
    "composed": lambda con: con.execute(
        sql.SQL("SELECT {}, {}").format(sql.Identifier("a"), 1) + sql.SQL(" FROM (SELECT 2 a) t")
    ).fetchone(),
    "as_string": lambda con: sql.SQL("SELECT {}").format(sql.Literal("it's")).as_string(con),
    "blank": lambda con: con.execute(" ").statusmessage,
    "comment": lambda con: con.execute("-- nothing").statusmessage,
    "nothing": lambda con: con.execute(""),
    "several": lambda con: [con.execute("SELECT 1; SELECT 2").fetchone()],
    "no argument": lambda con: con.execute(),
    "a number": lambda con: con.execute(1),
    "too few": lambda con: con.execute("SELECT %s, %s", (1,)),
    "unadaptable": lambda con: con.execute(sql.SQL("SELECT {}").format(sql.Literal(object()))),
    "executemany": lambda con: con.cursor().executemany("SELECT %s::int", [(1,), (2,)], returning=True),
    "failing": lambda con: con.execute("SELECT missing"),
    "unbound": lambda con: psycopg.Connection.execute(con, "SELECT 3").fetchone(),
    "unbound cursor": lambda con: psycopg.Cursor.execute(con.cursor(), "SELECT 4").fetchone(),
    "by hand": lambda con: psycopg.Cursor(con).execute("SELECT 5").fetchone(),
    "client side": lambda con: psycopg.ClientCursor(con).mogrify("SELECT %s", ("a",)),
    "named": named,
    "rows": lambda con: con.cursor(row_factory=dict_row).execute("SELECT 1 AS a").fetchone(),
    "rows of the connection": lambda con: (
        setattr(con, "row_factory", namedtuple_row),
        con.execute("SELECT 1 AS a").fetchone().a,
    )[1],
    "stream": lambda con: list(con.cursor().stream("SELECT generate_series(1, 2)")),
    "copy": copy_in,
    "transaction": transaction,
    "pipeline": piped,
    "adapters": lambda con: con.execute("SELECT %s", (Jsonb({"a": 1}),)).fetchone(),
    "classes": lambda con: (
        isinstance(con, psycopg.Connection),
        isinstance(con.cursor(), psycopg.Cursor),
        type(con).__name__,
    ),
    "names": lambda con: (type(con.cursor()).__name__, type(con.cursor()).__qualname__, con.cursor().__class__),
    "reprs": lambda con: (repr(con.cursor()), repr(con)),
    "callproc": lambda con: hasattr(con.cursor(), "callproc"),
    "own cursor": lambda con: con.cursor().first("SELECT 6"),
    "another factory": lambda con: (
        setattr(con, "cursor_factory", psycopg.ClientCursor),
        con.execute("SELECT 7").fetchone(),
    )[1],
    "closed cursor": lambda con: (cur := con.cursor(), cur.close(), cur.execute("SELECT 1")),
    "closed": lambda con: (con.close(), con.execute(sql.SQL("SELECT {}").format("x"))),
    "with": lambda con: con.__exit__(None, None, None),
    "notifies": lambda con: (con.execute("LISTEN a"), list(con.notifies(timeout=0)))[1],
    "info": lambda con: (con.info.dbname, con.autocommit, con.isolation_level),
}


def outcome(call, connection):
    """Return what a call gives or raises, in words."""
    try:
        words = repr(call(connection))
    except Exception as error:  # noqa: BLE001 - whatever it is, it has to be the same
        words = f"{type(error)} {error}"
    return re.sub(r" at 0x[0-9a-f]+", "", words)


KINDS = {
    "psycopg's own": {},
    "a factory": {"cursor_factory": Basket},
    "client side": {"cursor_factory": psycopg.ClientCursor},
}


@pytest.mark.parametrize("name", sorted(CALLS))
def test_psycopg_does_what_it_does_without_us(told, postgres, name):
    """Each call has equal outcomes on a bare connection and on one with spans, whichever cursors it uses."""
    for kind, options in KINDS.items():
        seen = []
        for connect in (bare_connect, psycopg.connect):
            with (
                psycopg.Connection.connect.__wrapped__(postgres.dsn())
                if 0
                else connect(postgres.dsn(), **options) as con
            ):
                seen.append(outcome(CALLS[name], con))
        assert seen[1] == seen[0], kind
    told.spans()


def test_a_connection_keeps_its_own_cursors(told, postgres):
    """Cursors that a class of connections chooses itself stay in use, and have spans; a factory may be no class."""
    with Shop.connect(postgres.dsn()) as con:
        assert con.cursor().first("-- name: first\nSELECT 1") == 1
    assert told.names() == ["SELECT"]

    with psycopg.connect(postgres.dsn(), cursor_factory=make_basket) as con:
        assert con.cursor().first("SELECT 1") == 1


def test_spans_of_psycopg(told, postgres):
    """Statements of all forms are named after their operation, without literals, sync and async."""
    with psycopg.connect(postgres.dsn()) as con:
        con.execute("(SELECT('hunter2'))")
        con.execute(b"/* a *//* b */ TABLE pg_class")
        con.execute(sql.SQL("-- {}\nWITH a AS (SELECT 1) SELECT * FROM a").format(sql.Identifier("x")))
        con.execute("-- nothing")

    async def work():
        async with await psycopg.AsyncConnection.connect(postgres.dsn()) as con:
            await con.execute("-- name: one\nSELECT 1")

    asyncio.run(work())
    assert told.names() == ["SELECT", "TABLE", "SELECT", "postgres", "SELECT"]


def test_tracers_are_corrected_once(told):
    """However many drivers are instrumented, a statement goes through each correction once; and anew after the end."""
    before = dbapi.CursorTracer.traced_execution
    cursors.correct_cursors()()
    assert dbapi.CursorTracer.traced_execution is before
    assert before.__module__ == cursors.__name__
    assert told.names() == []


class Stock:
    """A driver in Python, as those of MySQL are, whose cursors are iterators; one row is all there is."""

    def __init__(self):
        self.rows = []

    def cursor(self):
        """Return a cursor."""
        return self

    def execute(self, statement):
        """Run a statement."""
        self.rows = [(statement,)]

    def __iter__(self):
        return self

    def __next__(self):
        return self.rows.pop() if self.rows else next(iter(()))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return True


def test_proxies_of_other_drivers(told):
    """Cursors that are wrapped are iterators like the driver's, and a block that swallows an exception still does."""
    connection = dbapi.instrument_connection("shop", Stock(), "mysql", {}, tracer_provider=told.tracers)
    with connection as entered:
        cursor = entered.cursor()
        cursor.execute("-- name: one\nSELECT 1")
        assert next(cursor) == ("-- name: one\nSELECT 1",)
        assert list(cursor) == []
        raise ValueError("swallowed by the driver")
    assert told.names() == ["SELECT"]


class Counted(psycopg2.extensions.cursor):
    """A cursor of the application's."""

    def execute(self, query, parameters=None):
        """Run a statement."""
        return super().execute(query, parameters)


CALLS2 = {
    "execute": lambda _, cur: (cur.execute("SELECT %s, 1 AS a", ("x",)), cur.fetchone()),
    "given": lambda con, _: (
        cur := con.cursor(cursor_factory=psycopg2.extras.RealDictCursor),
        cur.execute("SELECT 1 AS a"),
        dict(cur.fetchone()),
    )[2],
    "positional": lambda con, _: (
        cur := con.cursor(None, Counted),
        cur.execute("SELECT 1"),
        cur.fetchone(),
        type(cur).__name__,
    )[2:],
    "no class": lambda con, _: con.cursor(cursor_factory=print),
    "named": lambda con, _: (cur := con.cursor("named"), cur.execute("SELECT 1"), cur.fetchall(), cur.name)[2:],
    "values": lambda _, cur: psycopg2.extras.execute_values(
        cur, "SELECT * FROM (VALUES %s) v", [(1,), (2,)], fetch=True
    ),
    "failing": lambda _, cur: cur.execute("SELECT missing"),
    "blank": lambda _, cur: cur.execute(" "),
    "comment": lambda _, cur: cur.execute("-- nothing"),
    "callproc": lambda _, cur: (cur.callproc("abs", (-1,)), cur.fetchone()),
    "executemany": lambda _, cur: cur.executemany("SELECT %s", [(1,), (2,)]),
    "classes": lambda con, cur: (
        isinstance(con, psycopg2.extensions.connection),
        con.__class__,
        cur.__class__,
        type(con).__name__,
        type(cur).__name__,
    ),
    "reprs": lambda con, cur: (
        re.sub("0x[0-9a-f]+|dsn.*", "", repr(con)),
        repr(cur)[:20],
        str(type(con)),
        str(type(cur)),
    ),
    "unknown": lambda con, _: con.unknown,
    "attribute": lambda _, cur: setattr(cur, "mine", 1),
    "factory": lambda con, _: con.cursor_factory,
    "register": lambda con, cur: (
        psycopg2.extras.register_uuid(conn_or_curs=con) and psycopg2.extensions.quote_ident("a", cur)
    ),
    "unbound": lambda _, cur: (psycopg2.extensions.cursor.execute(cur, "SELECT 1"), cur.fetchone()),
    "by hand": lambda con, _: (cur := psycopg2.extensions.cursor(con), cur.execute("SELECT 1"), cur.fetchone())[2],
    "with": lambda con, _: con.__enter__() is con and con.__exit__(None, None, None),
    "closed": lambda con, cur: (con.close(), cur.execute("SELECT 1")),
}

KINDS2 = {
    "psycopg2's own": {},
    "cursors": {"cursor_factory": Counted},
    "dictionaries": {"connection_factory": psycopg2.extras.RealDictConnection},
    "no class": {"connection_factory": dictionaries},
}


@pytest.mark.parametrize("name", sorted(CALLS2))
def test_psycopg2_does_what_it_does_without_us(told, postgres, name):
    """Each call has equal outcomes on a bare connection and on one with spans, whatever its classes are."""
    for kind, options in KINDS2.items():
        seen = []
        for connect in (bare_connect2, psycopg2.connect):
            with closing(connect(postgres.dsn(), **options)) as con:
                cur = con.cursor()
                seen.append(outcome(lambda con, cur=cur: CALLS2[name](con, cur), con))
        assert seen[1] == seen[0], kind
    told.spans()


def test_spans_of_psycopg2(told, postgres):
    """Statements have spans whatever classes are in use: the driver's, a connection's, or one that is given."""
    for options in ({}, {"connection_factory": psycopg2.extras.RealDictConnection}, {"cursor_factory": Counted}):
        with closing(psycopg2.connect(postgres.dsn(), **options)) as con:
            con.cursor().execute("-- name: one\nSELECT 1")
            con.cursor(cursor_factory=psycopg2.extras.NamedTupleCursor).execute("SELECT 2")
        (first, second) = told.spans()
        assert (first.name, second.name) == ("SELECT", "SELECT")
        assert first.attributes["db.namespace"] == "postgres"


def test_asyncpg(told, postgres):
    """Statements of all forms work, also given by name and blank, and are named after their operation."""

    async def work():
        con = await asyncpg.connect(postgres.dsn())
        assert await con.fetchval("-- name: one\n(SELECT 1)") == 1
        assert await con.fetchval(query="SELECT('hunter2')") == "hunter2"
        await con.executemany(command="SELECT $1::int", args=[(1,), (2,)])
        assert await con.fetch(" ") == []
        with pytest.raises(TypeError, match="query"):
            await con.fetch()
        await con.close()

    asyncio.run(work())
    assert told.names() == ["SELECT", "SELECT", "SELECT", "postgresql"]


def test_asyncpg_below_sqlalchemy(told, postgres):
    """A statement of SQLAlchemy is one span, whatever asyncpg does for it; one beside it is asyncpg's."""

    async def work():
        engine = create_async_engine(postgres.dsn().replace("postgresql:", "postgresql+asyncpg:"))
        async with engine.begin() as con:
            await con.execute(text("SELECT 1"))
            async for _row in await con.stream(text("SELECT generate_series(1, 3)")):
                pass
        await engine.dispose()
        con = await asyncpg.connect(postgres.dsn())
        await con.fetch("SELECT 2")
        await con.close()

    asyncio.run(work())
    spans = [(span.instrumentation_scope.name.rpartition(".")[2], span.name) for span in told.spans()]
    assert spans == [("sqlalchemy", "connect"), *[("sqlalchemy", "SELECT")] * 2, ("asyncpg", "SELECT")]
