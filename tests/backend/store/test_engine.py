"""Queries end when they should, take no more than they may, and reach no file but the data directory's."""

from __future__ import annotations

import asyncio
import threading
import time

import duckdb
import pytest
from stored_spans import Bench, table, trace_id

from spanglass_server.signals import Signal
from spanglass_server.store.ports import ALL_TIME, OfTraces, QueryError, QueryMemoryError, QueryTimeoutError
from spanglass_server.store.sessions import engine
from spanglass_server.store.sessions.stopping import Stop

ENDLESS = "SELECT sum(hash(a.range * b.range)) FROM range(10000000) a, range(10000000) b"


def endless(session):
    """A query that takes hours."""
    return session.rows(ENDLESS)


def count(session):
    """The number of stored spans."""
    source = session.relation(Signal.SPANS, ALL_TIME, [])
    return session.rows(f"SELECT count(*) AS n FROM {source}")[0]["n"]  # noqa: S608


def test_the_deadline_stops_a_query_and_frees_its_thread(tmp_path):
    """A query past its deadline is an error that names the setting, and the only thread is free for the next."""
    bench = Bench(tmp_path / "data", max_concurrent=1)
    bench.write(table([{"n": 1}]))

    async def ask():
        with pytest.raises(QueryTimeoutError, match=r"after 0\.1 s \(setting query\.deadline\)$"):
            await bench.engine.run(endless, deadline_s=0.1)
        return await bench.engine.run(count, deadline_s=60)

    found = asyncio.run(ask())
    bench.close()

    assert found == 1


def test_a_deadline_between_two_statements_stops_the_second(tmp_path):
    """A question of several statements is stopped also if its time ends while none of them runs."""
    bench = Bench(tmp_path / "data", max_concurrent=1)
    over = threading.Event()

    def late(session):
        session.rows("SELECT 1")
        over.wait(60)
        return session.rows(ENDLESS)

    async def ask():
        with pytest.raises(QueryTimeoutError):
            await bench.engine.run(late, deadline_s=0.05)
        over.set()
        return await bench.engine.run(count, deadline_s=60)

    found = asyncio.run(ask())
    bench.close()

    assert found == 0


def test_reading_whole_rows_is_stopped_too(tmp_path):
    """A lookup, which has a connection of its own, ends at the deadline as well: the only thread is free again."""
    bench = Bench(tmp_path / "data", max_concurrent=1)
    bench.write(table([{"n": 1, **{f"span.k{number}:int": number for number in range(40)}}]))

    def lookup(session):
        return session.whole_rows(Signal.SPANS, ALL_TIME, f"hash(name) = ({ENDLESS})")

    async def ask():
        with pytest.raises(QueryTimeoutError):
            await bench.engine.run(lookup, deadline_s=0.1)
        return await bench.engine.run(count, deadline_s=60)

    found = asyncio.run(ask())
    bench.close()

    assert found == 1


def test_waiting_for_a_thread_counts(tmp_path):
    """A query that gets no thread before its deadline is given up, and never runs."""
    bench = Bench(tmp_path / "data", max_concurrent=1)
    ran = []

    async def ask():
        first = asyncio.create_task(bench.engine.run(endless, deadline_s=60))
        await asyncio.sleep(0.05)
        with pytest.raises(QueryTimeoutError):
            await bench.engine.run(ran.append, deadline_s=0.05)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        return await bench.engine.run(count, deadline_s=60)

    found = asyncio.run(ask())
    bench.close()

    assert (found, ran) == (0, [])


def test_a_client_that_leaves_stops_its_query(tmp_path):
    """Cancelling the awaiting task stops the statement, so that closing the engine does not wait for hours."""
    bench = Bench(tmp_path / "data")

    async def ask():
        task = asyncio.create_task(bench.engine.run(endless, deadline_s=3600))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(ask())
    start = time.monotonic()
    bench.close()

    assert time.monotonic() - start < 60


def test_memory_has_a_limit(tmp_path):
    """A query that needs more than it may use is an error that names the setting; the engine lives on."""
    bench = Bench(tmp_path / "data", memory_bytes=32 << 20)
    with pytest.raises(QueryMemoryError, match=r"setting query\.memory_limit_bytes\)$"):
        bench.engine.run_here(lambda session: session.rows("SELECT list(range || 'x') FROM range(5000000)"))
    found = bench.engine.run_here(count)
    bench.close()

    assert found == 0


def test_a_missing_segment_is_an_error_in_words(bench):
    """A segment whose file someone deleted fails the queries that need it, as a QueryError."""
    bench.write(table([{"n": 1, "span.a:str": "x"}]))
    (bench.data_dir / bench.files()[0]).unlink()

    with pytest.raises(QueryError, match="stored data could not be read"):
        bench.select(["span.a:str"])


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('{secret}')",
        "SELECT * FROM read_csv('{secret}')",
        "SELECT * FROM '{secret}'",
        "SELECT * FROM glob('{folder}/*')",
        "SELECT * FROM read_text('{data}/../secret.csv')",
        "COPY (SELECT 1) TO '{folder}/out.csv'",
        "ATTACH '{folder}/other.db'",
        "EXPORT DATABASE '{folder}/export'",
        "INSTALL httpfs",
        "LOAD '{secret}'",
        "SELECT * FROM read_csv('http://127.0.0.1:1/x')",
        "SET enable_external_access = true",
        "SET allowed_directories = ['/']",
        "SET memory_limit = '100GB'",
        "SET lock_configuration = false",
        "RESET memory_limit",
        "SELECT * FROM a_python_variable",
    ],
)
def test_no_other_file_is_reached(bench, tmp_path, sql):
    """Reading, listing, writing and attaching elsewhere, extensions and settings are refused; nothing is written."""
    secret = tmp_path / "secret.csv"
    secret.write_text("a,b\n1,2\n")
    a_python_variable = table([{"n": 1}])
    before = sorted(tmp_path.iterdir())
    statement = sql.format(secret=secret, folder=tmp_path, data=bench.data_dir)
    with pytest.raises((duckdb.Error, QueryError)):
        bench.engine.run_here(lambda session: session.rows(statement))

    assert a_python_variable.num_rows == 1
    assert sorted(tmp_path.iterdir()) == before


def test_settling_ends_at_the_deadline(tmp_path):
    """A query whose acknowledged records take too long to become columns is stopped, and its thread is free again."""
    bench = Bench(tmp_path / "data", max_concurrent=1)

    def slow(stopped):
        while not stopped():
            time.sleep(0.001)

    async def ask():
        bench.engine._settle = slow
        with pytest.raises(QueryTimeoutError):
            await bench.engine.run(count, deadline_s=0.05)
        bench.engine._settle = lambda _: None
        return await bench.engine.run(count, deadline_s=60)

    found = asyncio.run(ask())
    bench.close()

    assert found == 0


def test_a_question_sees_what_was_acknowledged_before_it(tmp_path):
    """What waits to become columns is settled before the snapshot is taken."""
    bench = Bench(tmp_path / "data")
    bench.engine._settle = lambda _: bench.buffer(table([{"n": 7}]))
    found = bench.engine.run_here(count)
    bench.close()

    assert found == 1


def test_a_question_that_does_not_need_the_newest_has_nothing_made_of_it(tmp_path):
    """What waits stays as it is, and is seen by the next question that needs it."""
    waiting = [table([{"n": 2}])]

    def settle(_stopped):
        while waiting:
            bench.buffer(waiting.pop())

    bench = Bench(tmp_path / "data")
    bench.engine._settle = settle
    bench.buffer(table([{"n": 1}]))
    found = [bench.engine.run_here(count, needs_newest=needs) for needs in (False, True, False)]
    bench.close()

    assert found == [1, 2, 2]


def test_rows_of_traces_wait_only_for_records_that_may_be_theirs(tmp_path):
    """A trace is read at once while nothing of it waits, and then for good; whatever else is asked sees what waited."""
    bench = Bench(tmp_path / "data")
    bench.buffer(table([{"n": 1}]))
    settled, waiting = [], {trace_id(2)}

    def settle(_stopped):
        settled.append(waiting)
        bench.buffer(table([{"n": 2}]))

    def spans_of(session, number):
        return session.trace_rows(Signal.SPANS, ALL_TIME, OfTraces([trace_id(number)])).num_rows

    bench.engine._settle, bench.engine._may_wait = settle, lambda ids: not waiting.isdisjoint(ids)
    both = bench.engine.run_here(lambda session: (spans_of(session, 1), spans_of(session, 1), len(settled)))
    of_other = bench.engine.run_here(lambda session: (spans_of(session, 1), spans_of(session, 2), count(session)))
    everything = bench.engine.run_here(lambda session: (count(session), spans_of(session, 1), len(settled)))
    bench.close()

    assert both == (1, 1, 0)
    assert of_other == (1, 1, 2)
    assert everything == (3, 1, 2)


@pytest.mark.parametrize(("few", "waited_for", "threads"), [(10, False, 1), (10, True, 2), (0, False, 2)])
def test_a_question_that_nobody_waits_for_has_one_thread_over_few_rows(bench, monkeypatch, few, waited_for, threads):
    """What someone waits for, or what reads many rows, is shared out among all threads."""
    monkeypatch.setattr(engine, "_FEW_ROWS", few)
    bench.write(table([{"n": 1}]))

    def ask(session):
        return int(session.rows("SELECT current_setting('threads') AS n")[0]["n"]), count(session)

    found = asyncio.run(bench.engine.run(ask, deadline_s=60)) if waited_for else bench.engine.run_here(ask)
    assert found == (threads, 1)
    assert bench.engine.run_paced(ask, Stop()) == (1, 1)  # whose rest is a multiple of its own thread's time
