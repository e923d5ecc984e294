"""Calls of sqlite3 with every argument that there is, and what is compared of their outcomes."""

from __future__ import annotations

import copy
import pickle
import re
import sqlite3
import weakref
from contextlib import closing

from hypothesis import strategies as st


class Shop(sqlite3.Connection):
    """An application's connection: with state, methods of its own and other cursors."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.calls = []

    def execute(self, *args):
        """Note the statement down."""
        self.calls.append(args)
        return super().execute(*args)

    def cursor(self, factory=None):
        """Give a cursor of the application's."""
        return super().cursor(factory or Basket)


def open_shop(*args, **kwargs):
    """Make a connection, as a factory that is no class."""
    return Shop(*args, **kwargs)


class Basket(sqlite3.Cursor):
    """A cursor that calls sqlite3's by its name, as older versions of Django do."""

    def execute(self, *args):
        """Run a statement."""
        return sqlite3.Cursor.execute(self, *args)

    def first(self, sql):
        """Return the first value."""
        return self.execute(sql).fetchone()[0]


STATEMENTS = (
    "",
    " ",
    "\n\t",
    "-- only a comment",
    "/* only */ /* comments */",
    ";",
    "nonsense",
    "select",
    "'text'",
    "\0",
    "select '\0'",
    "create table t (a integer primary key, b text)",
    "create table if not exists t (a integer primary key, b text)",
    "insert into t (b) values ('x')",
    "insert into t values (?, ?)",
    "insert into t (b) values (:b) returning a",
    "-- name: all_of_t :many\nselect a, b from t",
    "(select 1)",
    "select(1)",
    "select ?",
    "select :b as b",
    "values (1), (2)",
    "with c as (select a from t) select count(*) from c",
    "with c(n) as (values (7)) insert into t (b) select n from c",
    "update t set b = 'y' where a = 1",
    "delete from t",
    "drop table t",
    "begin",
    "commit",
    "rollback",
    "savepoint s",
    "release s",
    "select 1; select 2",
    "pragma user_version",
    "explain select 1",
    "select shout(b) from t",
    "select fail(1)",
    "select b from t order by b collate backwards",
    "select total_of(a) from t",
    "select date('2026-01-02') as \"d [date]\"",
    b"select 1",
    1,
    None,
)
PARAMETERS = (
    (),
    (1,),
    (1, "x"),
    [None, b"\x00"],
    {"b": "z"},
    {"c": 1},
    "x",
    b"x",
    7,
    None,
    (object(),),
    (2**70,),
    {1: 2},
    [[1]],
    ("x", "y"),
)


class Total:
    """An aggregate."""

    def __init__(self):
        self.sum = 0

    def step(self, value):
        """Add one."""
        self.sum += value or 0

    def finalize(self):
        """Return all."""
        return self.sum


def made_by_hand(connection):
    """Make a cursor, as a factory that is no class."""
    return sqlite3.Cursor(connection)


def fail(_):
    """Fail in a callback."""
    raise ValueError("in a function")


def busy(status, *_):
    """Fail where a backup would wait for ever, for a transaction that the same thread has open."""
    if status in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        raise BlockingIOError("in a transaction")


class Side:
    """One of the two connections, with what a sequence of calls makes of it."""

    def __init__(self, connect, factory):
        options = {} if factory is None else {"factory": factory}
        self.con = connect(":memory:", detect_types=sqlite3.PARSE_COLNAMES, **options)
        self.other = connect(":memory:")
        self.cur = self.con.cursor()
        self.seen = []

    def close(self):
        """Close both."""
        self.con.close()
        self.other.close()

    def cursor(self, *args, **kwargs):
        """Take another cursor for the calls that come."""
        self.cur = self.con.cursor(*args, **kwargs)
        return self.cur

    def give_up(self):
        """Fail in a transaction."""
        with self.con as entered:
            self.seen.append(entered is self.con)
            entered.execute("insert into t (b) values ('lost')")
            raise KeyError("given up")

    def blob(self):
        """Read and write a blob in place."""
        with self.con.blobopen("t", "b", 1) as blob:
            blob[0:1] = b"q"
            return blob.read()


def calls_with_statements():
    """Make calls that take a statement and perhaps parameters, in every spelling that there is."""
    runs = {
        "con.execute": lambda side, *args: side.con.execute(*args),
        "cur.execute": lambda side, *args: side.cur.execute(*args),
        "fetchall": lambda side, *args: side.con.execute(*args).fetchall(),
        "chained": lambda side, *args: list(side.cursor().execute(*args)),
        "con.executemany": lambda side, sql, *rest: side.con.executemany(sql, *([args] for args in rest)),
        "cur.executemany": lambda side, sql, *rest: side.cur.executemany(sql, *([args] for args in rest)),
        "executescript": lambda side, *args: side.cur.executescript(*args),
        "con.executescript": lambda side, *args: side.con.executescript(*args),
        "unbound": lambda side, *args: sqlite3.Connection.execute(side.con, *args),
        "unbound cursor": lambda side, *args: sqlite3.Cursor.execute(side.cur, *args),
        "cursor by hand": lambda side, *args: sqlite3.Cursor(side.con).execute(*args).fetchone(),
        "in a transaction": lambda side, *args: (
            side.con.__enter__().execute(*args) and side.con.__exit__(None, None, None)
        ),
        "called": lambda side, *args: side.con(*args),
        "keyword": lambda side, *args: side.con.execute(sql=args[0]),
        "many arguments": lambda side, *args: side.cur.execute(*args, 1, 2),
    }
    return st.tuples(
        st.sampled_from(sorted(runs)),
        st.sampled_from(STATEMENTS),
        st.one_of(st.just(()), st.tuples(st.sampled_from(PARAMETERS))),
    ).map(lambda made: (made[:2], lambda side: runs[made[0]](side, made[1], *made[2])))


OTHER_CALLS = {
    "execute nothing": lambda side: side.con.execute(),
    "executemany of a generator": lambda side: side.cur.executemany(
        "insert into t (b) values (?)", ((n,) for n in "ab")
    ),
    "executemany of an error": lambda side: side.con.executemany("insert into t (b) values (?)", map(fail, "ab")),
    "fetchone": lambda side: side.cur.fetchone(),
    "fetchmany": lambda side: (side.cur.fetchmany(), side.cur.fetchmany(2), side.cur.fetchmany(size=1)),
    "fetchall": lambda side: side.cur.fetchall(),
    "iterate": lambda side: list(side.cur),
    "next": lambda side: next(side.cur),
    "description": lambda side: (side.cur.description, side.cur.rowcount, side.cur.lastrowid, side.cur.arraysize),
    "arraysize": lambda side: setattr(side.cur, "arraysize", 2),
    "sizes": lambda side: (side.cur.setinputsizes([1]), side.cur.setoutputsize(1), side.cur.setoutputsize(1, 2)),
    "cursor": lambda side: side.cursor(),
    "cursor of a class": lambda side: side.cursor(Basket),
    "cursor of sqlite3's class": lambda side: side.cursor(factory=sqlite3.Cursor),
    "cursor of None": lambda side: side.con.cursor(None),
    "cursor of two": lambda side: side.con.cursor(Basket, Basket),
    "cursor of a keyword": lambda side: side.con.cursor(foo=1),
    "cursor of a function": lambda side: side.cursor(made_by_hand),
    "cursor of an int": lambda side: side.con.cursor(int),
    "first": lambda side: side.con.cursor(Basket).first("select 5"),
    "closing": lambda side: closing(side.con.cursor()).__enter__().execute("select 1").fetchone(),
    "close the cursor": lambda side: side.cur.close(),
    "close": lambda side: side.con.close(),
    "commit": lambda side: side.con.commit(),
    "rollback": lambda side: side.con.rollback(),
    "give up": lambda side: side.give_up(),
    "in_transaction": lambda side: (side.con.in_transaction, side.con.total_changes),
    "isolation": lambda side: (setattr(side.con, "isolation_level", None), side.con.isolation_level),
    "isolation again": lambda side: setattr(side.con, "isolation_level", "IMMEDIATE"),
    "no such isolation": lambda side: setattr(side.con, "isolation_level", "LOUD"),
    "autocommit": lambda side: (side.con.autocommit, setattr(side.con, "autocommit", True)),
    "rows": lambda side: setattr(side.con, "row_factory", sqlite3.Row),
    "rows by a function": lambda side: setattr(side.con, "row_factory", lambda cur, row: (type(cur).__name__, row)),
    "rows of a cursor": lambda side: setattr(side.cur, "row_factory", lambda cur, row: (cur is side.cur, len(row))),
    "row by hand": lambda side: sqlite3.Row(side.con.execute("select 1 as a"), (1,)).keys(),
    "texts": lambda side: setattr(side.con, "text_factory", bytes),
    "function": lambda side: side.con.create_function("shout", 1, lambda text: str(text).upper(), deterministic=True),
    "failing function": lambda side: side.con.create_function("fail", 1, fail),
    "aggregate": lambda side: side.con.create_aggregate("total_of", 1, Total),
    "collation": lambda side: side.con.create_collation("backwards", lambda a, b: (a < b) - (a > b)),
    "authorizer": lambda side: side.con.set_authorizer(lambda *_: sqlite3.SQLITE_OK),
    "denier": lambda side: side.con.set_authorizer(lambda *_: sqlite3.SQLITE_DENY),
    "no authorizer": lambda side: side.con.set_authorizer(None),
    "progress": lambda side: side.con.set_progress_handler(lambda: 0, 10),
    "trace": lambda side: side.con.set_trace_callback(side.seen.append),
    "interrupt": lambda side: side.con.interrupt(),
    "dump": lambda side: list(side.con.iterdump()),
    "backup": lambda side: (side.con.backup(side.other, progress=busy), list(side.other.iterdump())),
    "restore": lambda side: (
        side.other.execute("create table if not exists o (a)"),
        side.other.backup(side.con, progress=busy),
    ),
    "backup to itself": lambda side: side.con.backup(side.con, progress=busy),
    "backup to a cursor": lambda side: side.con.backup(side.cur, progress=busy),
    "serialize": lambda side: side.con.serialize(),
    "blob": lambda side: side.blob(),
    "limit": lambda side: (side.con.getlimit(sqlite3.SQLITE_LIMIT_ATTACHED), side.con.setlimit(99, 1)),
    "extensions": lambda side: side.con.enable_load_extension(False),  # noqa: FBT003 - sqlite3 takes it so
    "config": lambda side: side.con.getconfig(sqlite3.SQLITE_DBCONFIG_ENABLE_FKEY),
    "kinds": lambda side: (
        isinstance(side.con, sqlite3.Connection),
        isinstance(side.cur, sqlite3.Cursor),
        side.con.__class__,
    ),
    "names": lambda side: (
        type(side.con).__name__,
        type(side.cur).__name__,
        side.con.execute.__name__,
        side.cur.__doc__,
    ),
    "reprs": lambda side: (repr(side.con), repr(side.cur), repr(type(side.con))),
    "of the cursor": lambda side: side.cur.connection is side.con,
    "unknown": lambda side: side.con.unknown,
    "unknown of the cursor": lambda side: side.cur.unknown,
    "attribute": lambda side: setattr(side.con, "mine", 1),
    "attribute of the cursor": lambda side: setattr(side.cur, "mine", 1),
    "exceptions": lambda side: side.con.IntegrityError is sqlite3.IntegrityError,
    "pickle": lambda side: pickle.dumps(side.con),
    "pickle a cursor": lambda side: pickle.dumps(side.cur),
    "copy": lambda side: copy.copy(side.con),
    "weak": lambda side: weakref.ref(side.con)() is side.con,
    "weak cursor": lambda side: weakref.ref(side.cur)() is side.cur,
    "equal": lambda side: (
        side.con == side.con,
        hash(side.cur) == hash(side.cur),
        bool(side.con),
        [side.con].index(side.con),
    ),
    "calls": lambda side: side.con.calls,
    "seen": lambda side: list(side.seen),
}


def outcome(call, side):
    """Return what a call gives or raises, in words; connections and cursors are other objects on the other side."""
    try:
        result = call(side)
        words = (str(type(result)), [tuple(result)] if isinstance(result, sqlite3.Row) else result)
    except Exception as error:  # noqa: BLE001 - whatever it is, it has to be the same
        words = (str(type(error)), str(error), [str(type(each)) for each in (error.__cause__, error.__context__)])
    return re.sub(r" at 0x[0-9a-f]+|0x[0-9a-f]+", "", repr(words))
