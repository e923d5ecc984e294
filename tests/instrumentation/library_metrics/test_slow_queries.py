"""Slow queries and lock failures, seen on real spans of real databases."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import threading

import psycopg
import pytest
import sqlalchemy as sa
from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
from opentelemetry.instrumentation.sqlalchemy import SQLAlchemyInstrumentor
from opentelemetry.instrumentation.sqlite3 import SQLite3Instrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from sqlalchemy.ext.asyncio import create_async_engine

from spanglass.library_metrics.databases.slow_queries import SlowQueryProcessor
from spanglass.settings.settings import load

SLOW = "spanglass.db.slow_query.duration"
LOCKS = "spanglass.db.lock_failures"
S = 1_000_000_000


@pytest.fixture(autouse=True)
def psycopg_as_it_was():
    """Take back what OpenTelemetry's instrumentation leaves wrapped when it is taken back."""
    before = {owner: vars(owner)["connect"] for owner in (psycopg, psycopg.Connection, psycopg.AsyncConnection)}
    yield
    for owner, connect in before.items():
        owner.connect = connect


class Traced:
    """A tracer provider with the processor and what it exported."""

    def __init__(self, measured, **settings):
        self.provider = TracerProvider(shutdown_on_exit=False)
        # our own tests' files lie among the application's
        self.provider.add_span_processor(SlowQueryProcessor(load(settings, {}), meter_provider=measured.provider))
        self._exporter = InMemorySpanExporter()
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))

    def query(self, seconds=0.2, parent=None, **attributes):
        """Make a span of a database call that took so long."""
        begin = 1_700_000_000 * S
        tracer = self.provider.get_tracer("test")
        named = {"db_system_name": "postgresql"} | attributes
        return tracer.start_span(
            "query",
            context=parent,
            kind=SpanKind.CLIENT,
            attributes={name.replace("_", "."): value for name, value in named.items()},
            start_time=begin,
        ).end(begin + int(seconds * S))

    @property
    def spans(self):
        """What was exported."""
        return self._exporter.get_finished_spans()


@pytest.fixture
def traced(measured):
    """Every call of a database is slow: the setting is 1 ns."""
    made = Traced(measured, slow_query="1ns")
    yield made
    made.provider.shutdown()


@pytest.fixture
def instrument(traced):
    """Turn instrumentations on and off again."""
    used = []

    def on(*instrumentors):
        for each in instrumentors:
            each.instrument(tracer_provider=traced.provider)
            used.append(each)

    yield on
    for each in used:
        each.uninstrument()


def test_slow_calls_are_counted_by_statement(measured):
    """The limit is 100 ms by default; labels are the system, the database and the statement's summary."""
    traced = Traced(measured)
    traced.query(0.2, db_query_text="SELECT * FROM orders WHERE id = 17", db_namespace="shop")
    traced.query(0.3, db_query_text="SELECT * FROM orders WHERE id = 18", db_namespace="shop")
    traced.query(0.0999, db_query_text="SELECT 1")
    measured.collect()

    assert measured.attributes(SLOW) == [
        {"db.system.name": "postgresql", "db.namespace": "shop", "db.query.summary": "SELECT orders"}
    ]
    assert (measured.counts(SLOW)[()], measured.sums(SLOW)[()]) == (2, pytest.approx(0.5))


def test_the_span_says_where_the_call_was_made(traced):
    """File, line and function of the innermost frame of the application."""
    span = traced.provider.get_tracer("test").start_span(
        "query", kind=SpanKind.CLIENT, attributes={"db.system.name": "postgresql"}
    )
    line = sys._getframe().f_lineno
    span.end()

    assert span.attributes["code.file.path"] == __file__
    assert span.attributes["code.line.number"] == line + 1
    assert span.attributes["code.function.name"].endswith("test_the_span_says_where_the_call_was_made")


def test_fast_calls_and_other_spans_are_left_alone(measured):
    """No attribute and no metric for a fast query, a slow request of HTTP, a slow function."""
    traced = Traced(measured)
    traced.query(0.01)
    traced.query(5, db_system_name="")
    tracer = traced.provider.get_tracer("test")
    tracer.start_span("function", start_time=1).end(10 * S)

    assert [set(span.attributes) & {"code.file.path"} for span in traced.spans] == [set()] * 3
    assert measured.collect().names == set()


def test_names_from_before_1_23_are_read(measured, traced):
    """db.system, db.name and db.statement mean the same."""
    traced.query(db_system_name="", db_system="mysql", db_name="shop", db_statement="DELETE FROM carts")
    tracer = traced.provider.get_tracer("test")
    tracer.start_span(
        "old", kind=SpanKind.CLIENT, attributes={"db.system": "mysql", "db.statement": "DELETE FROM carts"}
    ).end()

    assert {"db.system.name": "mysql", "db.query.summary": "DELETE carts"} in measured.collect().attributes(SLOW)


def test_summaries_are_bounded(measured, traced):
    """Of a thousand different statements 200 are told apart; the rest is one series."""
    for number in range(1000):
        traced.query(db_query_text=f"TRUNCATE TABLE table_{number}")
    counts = measured.collect().counts(SLOW, "db.query.summary")

    assert (len(counts), counts["_OTHER"]) == (201, 800)


def test_a_call_seen_by_two_libraries_is_counted_once(measured, traced, instrument, tmp_path):
    """SQLAlchemy's span around sqlite3's: one slow query, and both spans say where it was made."""
    instrument(SQLite3Instrumentor(), SQLAlchemyInstrumentor())
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'shop.db'}")
    with engine.connect() as connection:
        connection.execute(sa.text("SELECT 42 AS answer"))
    engine.dispose()
    measured.collect()

    assert measured.counts(SLOW, "db.query.summary")["SELECT"] == 1
    queries = [span for span in traced.spans if span.name.startswith("SELECT")]
    assert len(queries) == 2
    assert {span.attributes["code.file.path"] for span in queries} == {__file__}


def test_the_caller_is_found_behind_sqlalchemys_greenlets(traced, instrument, postgres):
    """With an asynchronous engine the statement runs in a greenlet: the coroutine that awaits it is the caller."""
    instrument(PsycopgInstrumentor())

    async def ask(engine):
        async with engine.connect() as connection:
            await connection.execute(sa.text("SELECT 42 AS answer"))

    async def main():
        engine = create_async_engine(postgres.dsn().replace("postgresql:", "postgresql+psycopg:"))
        await ask(engine)
        await engine.dispose()

    asyncio.run(main())
    (span,) = [span for span in traced.spans if "answer" in str(span.attributes.get("db.statement", ""))]
    assert span.attributes["code.function.name"].endswith(".ask")


def test_a_locked_sqlite_is_counted(measured, traced, instrument, tmp_path):
    """A writer while another writes, without patience: one failure of the kind "locked"."""
    instrument(SQLite3Instrumentor())
    path = tmp_path / "shop.db"
    with sqlite3.connect(path, isolation_level=None) as first, sqlite3.connect(path, timeout=0) as second:
        first.execute("CREATE TABLE stock (id INTEGER)")
        first.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            second.cursor().execute("INSERT INTO stock VALUES (1)")
        first.execute("COMMIT")
    first.close()
    second.close()

    assert measured.collect().values(LOCKS, "db.system.name", "error.type") == {("sqlite", "locked"): 1}
    assert traced.spans


def test_locks_of_postgres_are_counted(measured, traced, instrument, postgres):
    """NOWAIT, lock_timeout and a deadlock, each once and each by its name."""
    instrument(PsycopgInstrumentor())
    with (
        psycopg.connect(postgres.dsn(), autocommit=True) as first,
        psycopg.connect(postgres.dsn(), autocommit=True) as second,
    ):
        first.execute("CREATE TABLE left_side (id int); CREATE TABLE right_side (id int)")
        first.execute("BEGIN; LOCK TABLE left_side")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            second.execute("BEGIN; LOCK TABLE left_side NOWAIT")
        second.execute("ROLLBACK; SET lock_timeout = '10ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            second.execute("SELECT * FROM left_side")
        second.execute("SET lock_timeout = 0; SET deadlock_timeout = '20ms'; BEGIN; LOCK TABLE right_side")
        deadlock(first, second)

    failures = measured.collect().values(LOCKS, "error.type")
    assert failures == {"lock_not_available": 2, "deadlock": 1}
    assert traced.spans


def deadlock(first, second):
    """Have each wait for what the other holds, until the server ends one of them."""
    ended = []

    def lock(connection, table):
        try:
            connection.execute(f"LOCK TABLE {table}")
        except psycopg.errors.DeadlockDetected:
            ended.append(connection)
        connection.execute("ROLLBACK")

    other = threading.Thread(target=lock, args=(first, "right_side"))
    other.start()
    lock(second, "left_side")
    other.join()
    assert len(ended) == 1


def test_other_errors_are_no_locks(measured, traced, instrument):
    """A table that is not there has nothing to do with locks."""
    instrument(SQLite3Instrumentor())
    with sqlite3.connect(":memory:") as connection, pytest.raises(sqlite3.OperationalError):
        connection.cursor().execute("SELECT * FROM nothing")
    connection.close()

    assert LOCKS not in measured.collect().names
    assert traced.spans
