"""Searches and groups over kept columns are what SQL finds, in the same order."""

from __future__ import annotations

import random

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from stored_spans import Bench, trace_id

from spanglass_server.query.kept_columns import groups
from spanglass_server.query.matching import SpanQuestion
from spanglass_server.query.traces import search
from spanglass_server.query.traces.search import Page, search_traces
from spanglass_server.query.traces.spans import group_spans
from spanglass_server.service_names import SERVICE
from spanglass_server.store.batches import reading
from spanglass_server.store.part_cache import PartCache
from spanglass_server.store.ports import QueryError, Window
from spanglass_server.store.segment_files import segments

SECOND = 1_000_000_000
START = 1_790_000_000 * SECOND
WINDOW = Window(START + 30 * SECOND, START + 500 * SECOND)
TYPES = {
    "parent_span_id": pa.binary(),
    SERVICE: pa.string(),
    "resource.host.name:str": pa.string(),
    "span.tenant:str": pa.string(),
    "span.size:int": pa.int64(),
    "span.same:int": pa.int64(),
    "event.e:str": pa.list_(pa.string()),
    "name": pa.string(),
    "kind": pa.uint8(),
    "status_code": pa.uint8(),
    "duration_ns": pa.int64(),
}


def spans(rng, count, part):
    """Spans of some traces; of the rows of a part some columns are the same, or absent, or null here and there."""
    rows = []
    for _ in range(count):
        start_ns = START + (part * 100 + rng.randrange(140)) * SECOND + rng.randrange(3)
        rows.append(
            {
                "trace_id": trace_id(1 + rng.randrange(60)),
                "span_id": rng.randbytes(8),
                "start_time_ns": start_ns,
                "parent_span_id": rng.choice([None, bytes(8), rng.randbytes(8)]),
                SERVICE: "web" if part == 1 else rng.choice(["web", "cart", "", None]),
                "resource.host.name:str": rng.choice(["a", "", None]),
                "span.tenant:str": None if part == 2 else rng.choice([f"t{number}" for number in range(9)] + [None]),
                "span.size:int": rng.choice([None, -1, 300, 2**60]),
                "span.same:int": part,
                "event.e:str": rng.choice([None, ["x", None]]),
                "name": rng.choice(["GET /", "query", None]),
                "kind": rng.choice([None, 0, 2, 3]),
                "status_code": rng.choice([None, 1, 2]),
                "duration_ns": rng.randrange(3000) * 1_000_000,
            }
        )
        if rng.random() < 0.1:  # sent twice
            rows.append(rows[-1])
    made = pa.Table.from_pylist(
        rows, pa.schema({"trace_id": pa.binary(), "span_id": pa.binary(), "start_time_ns": pa.int64(), **TYPES})
    )
    return made.select([name for name in made.column_names if made[name].null_count < made.num_rows])


def coded(rng, rows):
    """The same rows with names of services as ingest leaves them in memory, but that each is there twice."""
    codes = rows[SERVICE].combine_chunks().dictionary_encode()
    others = pc.add(
        codes.indices, pa.array([rng.choice([0, len(codes.dictionary)]) for _ in range(len(codes))], pa.int32())
    )
    twice = pa.DictionaryArray.from_arrays(others, pa.concat_arrays([codes.dictionary] * 2))
    return rows.set_column(rows.column_names.index(SERVICE), SERVICE, twice)


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """Three segments of several row groups and two chunks of memory, whose times overlap."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(segments, "ROW_GROUP_ROWS", 32)
        bench = Bench(tmp_path_factory.mktemp("kept") / "data")
        rng = random.Random(5)  # noqa: S311 - sample data
        for part in range(5):
            rows = spans(rng, 90, part)
            (bench.write if part < 3 else bench.buffer)(coded(rng, rows))
    yield bench
    bench.close()


def pages(bench, filter_text, limit, *, descending=True, **more):
    """Every page of a search."""
    question, found, cursor = SpanQuestion(WINDOW, filter_text, **more), [], None
    while not found or cursor is not None:
        page = Page(limit, "time", descending, cursor)
        answer = bench.engine.run_here(lambda session, page=page: search_traces(session, question, page, START))
        cursor = answer["next_cursor"]
        found.append(answer)
    return found


FILTERS = [
    "",
    'service.name = "web" and name = "GET /" and duration > 150ms and tenant = "t3"',
    'service.name in ("cart", "web", "nobody") and size >= 300',
    'tenant = "t1"',
    'tenant = "nobody" and size < 0',
    "status = error and kind = server",
    "size < 5",
    "size in (300, 70000) and same = 4",
    "same < 1",
    "same = 9",
    'e = "x" and tenant = "t2"',  # SQL has to look
]


@pytest.mark.parametrize("filter_text", FILTERS)
def test_kept_columns_find_what_sql_finds(bench, monkeypatch, filter_text):
    """Traces, their order, pages and summaries: many of them, few, none; both ways; asked twice; with few at a time."""
    kept = bench.engine.kept
    ask = [(20, True), (25, False)]
    monkeypatch.setattr(search, "_SPANS_A_TRACE", 4)
    more = {"service": "web", "min_duration_ns": 5, "max_duration_ns": 2 * SECOND} if not filter_text else {}
    found = [pages(bench, filter_text, limit, descending=order, **more) for limit, order in ask * 2]
    monkeypatch.setattr(bench.engine, "kept", PartCache(0))  # nothing can be kept, so SQL answers
    expected = [pages(bench, filter_text, limit, descending=order, **more) for limit, order in ask]
    assert found == expected * 2
    assert kept.bytes
    assert (filter_text in ("same = 9", 'tenant = "nobody" and size < 0')) == (not found[0][0]["traces"])


@pytest.mark.parametrize("filter_text", ["", "status = error", 'tenant = "t1" and size < 5', "same = 9", 'e = "x"'])
def test_groups_of_kept_columns_are_those_of_sql(bench, monkeypatch, filter_text):
    """Counts, percentiles and order by texts, numbers and names of services, absent ones too, all groups and some."""
    question = SpanQuestion(WINDOW, filter_text)
    keys = [
        *(["service.name"], ["tenant", "service.name"], ["size"], ["name", "host.name", "same"]),
        *(["status", "size"], ["e"]),  # SQL has to look
    ]

    def ask(session):
        return [group_spans(session, question, each, limit) for each in keys for limit in (100, 3)]

    found = [bench.engine.run_here(ask) for _ in range(2)]
    monkeypatch.setattr(groups, "_LISTED_MAX", 2)
    found.append(bench.engine.run_here(ask))
    monkeypatch.setattr(groups, "_GROUPS_MAX", 2)
    found.append(bench.engine.run_here(ask))
    monkeypatch.setattr(bench.engine, "kept", PartCache(0))  # nothing can be kept, so SQL answers
    assert found == [bench.engine.run_here(ask)] * 4
    assert (filter_text == "same = 9") == (not found[0][0]["groups"])


def test_long_texts_are_read_by_sql(bench, monkeypatch):
    """Where columns of a row group take too much, all of a question goes to SQL, with the same answer."""
    question = SpanQuestion(WINDOW, 'tenant = "t1"')

    def ask(session):
        found = group_spans(session, question, ["service.name"], 100)["groups"]
        return found, search_traces(session, question, Page(5), START)["traces"]

    expected = bench.engine.run_here(ask)
    monkeypatch.setattr(bench.engine, "kept", PartCache())
    monkeypatch.setattr(reading, "_BYTES_MAX", 0)
    assert bench.engine.run_here(ask) == expected
    assert all(expected)


def test_what_is_asked_again_runs_no_sql(bench):
    """Of plain comparisons, all that is read is kept: the second answer runs no statement."""
    question = SpanQuestion(WINDOW, 'service.name = "web" and tenant = "t3"')

    def ask(session):
        groups = group_spans(session, question, ["service.name", "size"], 100)
        return {**search_traces(session, question, Page(5), START), **groups}

    def ask_without_sql(session):
        session.execute = session.rows = session.relation = None  # none can be called
        return ask(session)

    found = bench.engine.run_here(ask)
    assert len(found["traces"]) == 5
    assert bench.engine.run_here(ask_without_sql) == found


def test_a_file_that_cannot_be_read_is_an_error(tmp_path):
    """A segment that is damaged is told as such, as SQL tells it."""
    bench = Bench(tmp_path / "data")
    bench.write(spans(random.Random(1), 9, 0))  # noqa: S311 - sample data
    (file,) = (tmp_path / "data" / "segments").glob("*/*.parquet")
    file.write_bytes(b"no Parquet")
    with pytest.raises(QueryError, match="stored data could not be read"):
        pages(bench, 'service.name = "web"', 5)
    bench.close()


def test_many_rows_are_kept_when_they_are_asked_for_again(bench, monkeypatch):
    """Of segments with many rows, the first question is answered by SQL, and keeps nothing; the second does."""
    monkeypatch.setattr(bench.engine, "kept", PartCache())
    monkeypatch.setattr("spanglass_server.store.batches.reading._NEW_ROWS", 100)

    def ask(session):
        return group_spans(session, SpanQuestion(WINDOW), ["service.name"], 100)

    found, sizes = [], []
    for _ in range(2):
        found.append(bench.engine.run_here(ask))
        sizes.append(bench.engine.kept.bytes)
    assert found[0] == found[1]
    assert 10 * sizes[0] < sizes[1]
