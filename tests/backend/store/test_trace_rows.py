"""The rows of traces, read without SQL, are those that SQL finds."""

from __future__ import annotations

import math
import random

import pyarrow as pa
import pytest
from stored_spans import table, trace_id

from spanglass_server.signals import Signal
from spanglass_server.store.part_cache import PartCache
from spanglass_server.store.ports import ALL_TIME, OfTraces, QueryError, QueryTimeoutError, Window
from spanglass_server.store.segment_files import segments
from spanglass_server.store.sessions.stopping import Stop
from spanglass_server.store.traces import kept_rows
from spanglass_server.store.traces.footers import Footers
from spanglass_server.store.traces.rows import InMemory, find

MINUTE = 60_000_000_000
SERVICE = "resource.service.name:str"


def batch(rng, count, start):
    """Spans of eight traces, with columns that are the same in all rows, in none, in some, and lists in a few."""
    rows = [
        {
            "n": rng.randrange(8),
            "span_id": rng.randbytes(8),
            "kind": 2,
            SERVICE: rng.choice(["web", "cart"]),
            "resource.telemetry.sdk.name:str": "opentelemetry",
            "span.never:str": None,
            "span.rare:int": rng.choice([None, None, 2**60]),
            "span.same:double": rng.choice([1.0, math.nan]),
            "span.zero:double": rng.choice([0.0, -0.0]),
            "span.flag:bool": True,
            "span.raw:bytes": b"\0\1",
            "event_time_ns": [5, 6] if (has_events := rng.random() < 0.2) else None,
            "event.k:str": ["x", None] if has_events else None,
            "link_trace_id": [trace_id(1)] if rng.random() < 0.1 else None,
            **{f"span.k{number}:str": f"{number} {rng.randrange(3)}" for number in range(12)},
        }
        for _ in range(count)
    ]
    types = {"kind": pa.uint8(), "span.never:str": pa.string(), "event_time_ns": pa.list_(pa.int64())}
    made = table(rows, **types, **{"event.k:str": pa.list_(pa.string()), "link_trace_id": pa.list_(pa.binary())})
    starts = pa.array([(start + row) * MINUTE // 7 for row in range(count)])
    return made.set_column(made.column_names.index("start_time_ns"), "start_time_ns", starts)


def coded(rows):
    """The same rows with texts as ingest leaves them in memory: as dictionaries."""
    for name in (SERVICE, "span.k3:str"):
        rows = rows.set_column(rows.column_names.index(name), name, rows[name].dictionary_encode())
    return rows


def shown(rows):
    """Rows without what is null or an empty list, told apart to the bit."""
    return [
        repr([(name, row[name]) for name in sorted(row) if row[name] not in (None, [])]) for row in rows.to_pylist()
    ]


def in_sql(values):
    """A list of ids as SQL."""
    return ", ".join("'" + "".join(f"\\x{byte:02x}" for byte in value) + "'::BLOB" for value in values)


def test_rows_of_traces_are_those_that_sql_finds(bench, monkeypatch):
    """Of one trace and of many, in many row groups, files and chunks: the same rows in the same order, to the bit."""
    monkeypatch.setattr(segments, "ROW_GROUP_ROWS", 16)
    rng = random.Random(1)  # noqa: S311 - sample data
    for place in range(4):
        rows = batch(rng, 70, place * 50)
        if place == 1:
            rows = rows.drop_columns(["span.rare:int", "event_time_ns", "event.k:str"])
        (bench.buffer if place == 3 else bench.write)(coded(rows))
    bench.forget_recent()  # they would come in another order
    one = rows["span_id"][0].as_py()

    def ask(session, traces, spans=()):
        ids = [trace_id(number) for number in traces]
        where = f"trace_id IN ({in_sql(ids)})" + (f" AND span_id IN ({in_sql(spans)})" if spans else "")
        return (
            session.trace_rows(Signal.SPANS, ALL_TIME, OfTraces(ids, spans)),
            session.whole_rows(Signal.SPANS, ALL_TIME, where, trace_ids=ids),
        )

    sizes = []
    for traces, spans in (([3], ()), ([0, 5, 7], ()), ([99], ()), ([rows_trace(rows)], [one]), ([3], [bytes(8)])):
        found, expected = bench.engine.run_here(lambda session, args=(traces, spans): ask(session, *args))
        assert shown(found) == shown(expected)
        assert [name for name in expected.column_names if name in found.column_names] == found.column_names
        sizes.append(found.num_rows)
    assert (sizes[0] > 20, sizes[1] > 60, sizes[2:]) == (True, True, [0, 1, 0])
    few = OfTraces([trace_id(3)], columns=["trace_id", SERVICE])
    found = bench.engine.run_here(lambda session: session.trace_rows(Signal.SPANS, ALL_TIME, few))
    assert (set(found.column_names), found.num_rows) == ({"trace_id", SERVICE}, sizes[0])


def test_all_rows_of_a_range_are_those_that_sql_finds(bench, monkeypatch):
    """Of files and chunks, cut to the range; a parent id of zeros is none, and a damaged file is an error."""
    monkeypatch.setattr(segments, "ROW_GROUP_ROWS", 16)
    rng = random.Random(2)  # noqa: S311 - sample data
    for place in range(3):
        rows = coded(batch(rng, 50, place * 40))
        parents = pa.array([bytes(8), None, b"p" * 8, *[None] * 47])
        (bench.buffer if place == 2 else bench.write)(rows.append_column("parent_span_id", parents))
    window = Window(5 * MINUTE, 17 * MINUTE)

    def ask(session):
        names = [*session.columns(Signal.SPANS), "trace_id", "span_id", "parent_span_id", "start_time_ns", "name"]
        names += ["kind", "event_time_ns", "link_trace_id"]
        return list(session.all_rows(Signal.SPANS, window)), session.execute(
            f"FROM {session.relation(Signal.SPANS, window, names)}"
        )

    tables, expected = bench.engine.run_here(ask)
    assert sorted(row for table in tables for row in shown(table)) == sorted(shown(expected))
    assert {table.num_rows <= 16 for table in tables[:-1]} == {True}
    (bench.data_dir / bench.files()[0]).write_bytes(b"no parquet")
    with pytest.raises(QueryError, match="could not be read"):
        bench.engine.run_here(lambda session: list(session.all_rows(Signal.SPANS, window)))


def rows_trace(rows):
    """The number of the first row's trace."""
    return int.from_bytes(rows["trace_id"][0].as_py(), "big")


@pytest.mark.parametrize("wanted", [[0], [1, 2], [1, 1], [5, 77], [77], list(range(12)), []])
@pytest.mark.parametrize("other", ["", "none", "short", "long"])
def test_rows_in_memory_are_found_by_few_ids_and_by_many(wanted, other):
    """Whatever their number, ids find their rows and no others, also beside rows whose ids are no whole ones."""
    rng = random.Random(3)  # noqa: S311 - sample data
    numbers = [rng.randrange(6) for _ in range(200)]
    others = {"": [], "none": [None], "short": [b"id", bytes(30)], "long": [bytes(17)]}[other]
    ids = [*map(trace_id, numbers), *others]
    held = pa.table({"trace_id": pa.array(ids, pa.binary()), "row": range(len(ids))}).slice(7)
    found = find(InMemory(held), OfTraces([*map(trace_id, wanted)]))

    expected = [row for row, number in enumerate(numbers) if number in wanted and row >= 7]
    assert ([] if found is None else found["row"].to_pylist()) == expected


def test_rows_without_ids_are_of_no_trace(bench):
    """Log records in a file and in memory, of which none or some have ids of a trace or a span."""
    ids = [[None, None], [trace_id(1), None], [trace_id(1), b"s" * 8]]
    for one_trace, one_span in ids:
        rows = pa.table({"time_ns": [1, 2], "body": [str(one_span), "other"]})
        for name, value in (("trace_id", one_trace), ("span_id", one_span)):
            if value is not None:
                rows = rows.append_column(name, pa.array([value, None], pa.binary()))
        bench.write(rows, Signal.LOGS)
        bench.buffer(rows, Signal.LOGS)

    def ask(session, *spans):
        rows = session.trace_rows(Signal.LOGS, ALL_TIME, OfTraces([trace_id(1)], spans))
        return rows["body"].to_pylist() if rows.num_rows else []

    of_trace, of_span, of_other = (
        bench.engine.run_here(lambda session, given=given: ask(session, *given))
        for given in ([], [b"s" * 8], [b"t" * 8])
    )
    assert sorted(of_trace) == ["None", "None", str(b"s" * 8), str(b"s" * 8)]
    assert (of_span, of_other) == ([str(b"s" * 8)] * 2, [])


def test_row_groups_outside_of_the_window_are_not_read(bench, monkeypatch):
    """Row groups whose times a window leaves out are passed over; what lies in it is all there."""
    monkeypatch.setattr(segments, "ROW_GROUP_ROWS", 16)
    bench.write(table([{"n": 1, "span.at:int": row} for row in range(64)]).set_column(
        1, "start_time_ns", pa.array([row * MINUTE for row in range(64)])
    ))  # fmt: skip
    bench.forget_recent()
    window = Window(20 * MINUTE, 21 * MINUTE)
    found = bench.engine.run_here(lambda session: session.trace_rows(Signal.SPANS, window, OfTraces([trace_id(1)])))

    assert found["span.at:int"].to_pylist() == list(range(16, 32))


def test_what_can_not_be_read_or_goes_on_too_long_is_an_error(bench):
    """A damaged file is told as for every query, and a query that was stopped reads no further."""
    bench.write(table([{"n": 1}]))
    wanted = OfTraces([trace_id(1)])
    stop = Stop()

    def stopped(session):
        stop.now()
        return session.trace_rows(Signal.SPANS, ALL_TIME, wanted)

    with pytest.raises(QueryTimeoutError):
        bench.engine.run_here(stopped, stop)
    bench.forget_recent()
    (bench.data_dir / bench.files()[0]).write_bytes(b"PAR1 is not all of it")
    with pytest.raises(QueryError, match="could not be read"):
        bench.engine.run_here(lambda session: session.trace_rows(Signal.SPANS, ALL_TIME, wanted))


def test_few_footers_are_kept(bench):
    """The footers of the files used last are kept, here of two files with one row group each."""
    for number in range(3):
        bench.write(table([{"n": number}]))
    first, second, third = (bench.data_dir / file for file in bench.files())
    footers = Footers(most_row_groups=2)
    kept = footers.of(first)
    footers.of(second)
    assert footers.of(first) is kept
    footers.of(third)
    assert footers.of(first) is kept
    footers.of(second)
    footers.of(third)
    assert footers.of(first) is not kept


def test_rows_of_a_trace_are_kept(bench, monkeypatch):
    """Who asks for a trace or its spans again reads no file; large traces are not kept, nor several at once."""
    rows = table([{"n": number, "span_id": bytes([number] * 8)} for number in (1, 1, 2, 3)])
    bench.write(rows)
    bench.forget_recent()

    def ask(*numbers, span_ids=()):
        wanted = OfTraces([trace_id(number) for number in numbers], span_ids)
        found = bench.engine.run_here(lambda session: session.trace_rows(Signal.SPANS, ALL_TIME, wanted))
        return found["name"].to_pylist() if found.num_rows else []

    assert (ask(1, span_ids=[b"\1" * 8]), ask(9)) == (["1", "1"], [])
    with monkeypatch.context() as patched:
        patched.setattr(kept_rows, "_MOST_ROWS", 0)
        assert ask(2) == ["2"]
    for file in (bench.data_dir / "segments").glob("*/*.parquet"):
        file.unlink()
    assert (ask(1), ask(1, span_ids=[b"\1" * 8]), ask(1, span_ids=[b"\2" * 8]), ask(9)) == (
        ["1", "1"],
        ["1", "1"],
        [],
        [],
    )
    for others in ((2,), (1, 2)):
        with pytest.raises(QueryError, match="stored data could not be read"):
            ask(*others)


def test_a_large_trace_is_read_as_far_as_it_is_kept(monkeypatch):
    """Of a trace with more rows than are kept no more is held than that; each row is yielded, and one span alone is."""
    monkeypatch.setattr(kept_rows, "_MOST_ROWS", 5)
    read = []

    def groups(wanted):
        for first in range(0, 40, 4):
            ids = [bytes([first + each]) * 8 for each in range(4)]
            if not wanted.span_ids or set(ids) & set(wanted.span_ids):
                read.append(first)
                yield pa.table({"span_id": pa.array(ids, pa.binary())})

    def found(*span_ids):
        wanted = OfTraces([trace_id(1)], span_ids=list(span_ids))
        kept = PartCache(1 << 20)
        rows = kept_rows.kept_rows(kept, ("file", 1), wanted, [ALL_TIME], groups)
        return sum(table.num_rows for table in rows)

    assert (found(), read) == (40, list(range(0, 40, 4)))
    read.clear()
    assert (found(bytes([21]) * 8), read) == (4, [0, 4, 20])
