"""Traces that have what several conditions ask for, told by whole parts: never fewer than a look at all spans finds."""

from __future__ import annotations

import random
from itertools import pairwise, product

import numpy as np
import pyarrow as pa
import pytest
from stored_spans import Bench, trace_id

from spanglass_server.query.kept_columns import first_related
from spanglass_server.query.kept_columns.terms import Term
from spanglass_server.query.language import parse_filter
from spanglass_server.query.matching import SpanQuestion
from spanglass_server.query.structure import kept_candidates, whole_parts
from spanglass_server.query.structure.kept_filter import kept_filter
from spanglass_server.query.structure.whole_parts import Condition, WholePart, are_asked_first
from spanglass_server.query.traces import search
from spanglass_server.query.traces.search import Page, search_traces
from spanglass_server.service_names import SERVICE
from spanglass_server.signals import Signal
from spanglass_server.store.part_cache import PartCache
from spanglass_server.store.ports import LargeColumnsError, Window

SECOND = 1_000_000_000
START = 1_790_000_000 * SECOND
WINDOW = Window(START, START + 3600 * SECOND)
NO_PARENT, ROOT_AND_OTHER = bytes(8), "root(service:web) trace(service:db)"
SPREAD = int(whole_parts._SPREAD)
WEB = Term(SERVICE, "=", ("web",))
TYPES = {
    "trace_id": pa.binary(),
    "span_id": pa.binary(),
    "parent_span_id": pa.binary(),
    "start_time_ns": pa.int64(),
    "duration_ns": pa.int64(),
    SERVICE: pa.string(),
    "name": pa.string(),
    "status_code": pa.uint8(),
}


def span(number, own, service, parent=None, *, trace=None, at=None, **more):
    """A stored span of a numbered trace; its own number and its parent's are ids, times are in seconds."""
    return {
        "trace_id": trace_id(number) if trace is None else trace,
        "span_id": own.to_bytes(8, "big"),
        "parent_span_id": parent,
        "start_time_ns": START + int((10 * number + own % 7 if at is None else at) * SECOND),
        "duration_ns": SECOND,
        SERVICE: service,
        "name": f"{service} {own}",
        "status_code": 0,
        **more,
    }


def stored(rows):
    """The rows as a table; a column that all lack is absent, as ingest leaves it out."""
    columns = {name: pa.array([row[name] for row in rows], kind) for name, kind in TYPES.items()}
    return pa.table({name: column for name, column in columns.items() if column.null_count < len(rows)})


@pytest.fixture
def bench(tmp_path):
    """A store of nothing yet."""
    opened = Bench(tmp_path / "data")
    yield opened
    opened.close()


@pytest.fixture
def asking(monkeypatch):
    """Has searches ask whole parts once the first two spans were looked at, also what nobody has asked before."""
    monkeypatch.setattr(search, "_FIRST_OF_STRUCTURE", 2)
    monkeypatch.setattr(whole_parts, "_NEW_ROWS", 1 << 40)


def looked_at(bench, condition, *, with_roots=False):
    """The traces of each part that have what a condition says; None for a part that cannot tell."""

    def look(session):
        wholes = [WholePart.of(session, part, with_roots=with_roots) for part in session.parts(Signal.SPANS, WINDOW)]
        return [whole and set(whole.ids.filter(pa.array([*whole.having(condition), False])).to_pylist())
                for whole in wholes]  # fmt: skip

    return bench.engine.run_here(look)


def told(bench, text):
    """The traces that can match a filter; None where columns cannot tell."""

    def ask(session):
        wanted = kept_filter(parse_filter(text), session.columns(Signal.SPANS), [])
        found = kept_candidates.candidates(session, wanted, WINDOW)
        return None if found is None else set(found.trace_ids)

    return bench.engine.run_here(ask)


def found(bench, text):
    """The traces that a search finds, in pages of two."""
    ids, cursor = [], None
    while True:
        page = Page(2, "time", descending=True, cursor=cursor)
        answer = bench.engine.run_here(
            lambda session, page=page: search_traces(session, SpanQuestion(WINDOW, text), page, WINDOW.end_ns)
        )
        ids += [trace["trace_id"] for trace in answer["traces"]]
        cursor = answer["next_cursor"]
        if cursor is None:
            return ids


@pytest.mark.parametrize("length", [0, 8, 15, 17, 32])
@pytest.mark.usefixtures("asking")
def test_traces_of_other_lengths_are_left_to_sql(bench, length):
    """A part with an id that is not of sixteen bytes tells nothing, and the search finds the other traces.

    Segments have no such ids; a chunk of memory may.
    """
    strange = b"s" * length
    rows = [span(1, 1, "web"), span(1, 2, "db", (1).to_bytes(8, "big")), span(2, 3, "db", trace=strange)]
    bench.buffer(stored([*rows, *(span(number, 9 + number, "web") for number in range(3, 9))]))
    assert looked_at(bench, Condition([WEB], WINDOW)) == [None]
    assert told(bench, ROOT_AND_OTHER) is None
    assert found(bench, ROOT_AND_OTHER) == [trace_id(1).hex()]


@pytest.mark.usefixtures("asking")
def test_large_columns_are_left_to_sql(bench, monkeypatch):
    """Columns over the limit are not read, and the search finds what it finds anyway."""
    bench.write(stored([span(number, number, "web") for number in range(1, 9)] + [span(2, 20, "db", b"parent..")]))
    assert told(bench, ROOT_AND_OTHER) == {trace_id(2)}
    monkeypatch.setattr(whole_parts, "_BYTES_MAX", 1)
    bench.write(stored([span(9, 9, "web")]))  # a part of which nothing is kept
    with pytest.raises(LargeColumnsError):
        looked_at(bench, Condition([WEB], WINDOW))
    assert told(bench, ROOT_AND_OTHER) is None
    assert found(bench, ROOT_AND_OTHER) == [trace_id(2).hex()]


@pytest.mark.parametrize("way", ["segment", "chunk"])
def test_roots_have_no_parent_or_one_of_zeros(bench, way):
    """Whichever way a span says that it has no parent, and in the order of rows in which other columns are read."""
    rows = [
        span(1, 1, "web", None),
        span(2, 2, "web", NO_PARENT),
        span(3, 3, "web", b"parent.."),
        span(4, 4, "web", b""),
        span(5, 5, "db", None),
        span(5, 6, "web", (5).to_bytes(8, "big")),
    ]
    random.Random(3).shuffle(rows)  # noqa: S311 - sample data
    (bench.write if way == "segment" else bench.buffer)(stored(rows))
    bench.forget_recent()
    asked = Condition([WEB], WINDOW, of_root=True)
    assert looked_at(bench, asked, with_roots=True) == [{trace_id(1), trace_id(2)}]


def test_all_spans_are_roots_where_no_parent_is_stored(bench):
    """A part without the column of parents has no other spans."""
    bench.write(stored([span(1, 1, "web"), span(2, 2, "db"), span(3, 3, "web")]))
    asked = Condition([WEB], WINDOW, of_root=True)
    assert looked_at(bench, asked, with_roots=True) == [{trace_id(1), trace_id(3)}]


def test_rows_of_a_projection_are_not_mixed_with_those_of_a_part(bench):
    """A projection has its rows by service; services and times of it would be those of other traces."""
    services = ["web", "db", "shop"]
    rows = [span(number, number, services[number % 3], b"parent..", at=100 - number) for number in range(1, 31)]
    bench.write(stored(rows))
    bench.forget_recent()
    newest = Condition([WEB], Window(START + 85 * SECOND, WINDOW.end_ns))
    assert looked_at(bench, newest, with_roots=True) == [{trace_id(number) for number in (3, 6, 9, 12, 15)}]


@pytest.mark.usefixtures("asking")
def test_spans_without_an_id_belong_to_no_trace(bench):
    """They are no trace of their own, and no other trace has what they have. Only a chunk of memory may have them."""
    rows = [span(1, 1, "web"), span(1, 2, "db", b"parent.."), span(2, 3, "web"), span(2, 4, "db")]
    rows[3]["trace_id"] = None
    bench.buffer(stored(rows))
    assert looked_at(bench, Condition([WEB], WINDOW)) == [{trace_id(1), trace_id(2)}]
    assert told(bench, ROOT_AND_OTHER) == {trace_id(1)}


@pytest.mark.usefixtures("asking")
def test_a_trace_that_shares_a_key_is_not_taken_for_the_other(bench):
    """Ids are chosen by who sends them: one that only can match is looked at in vain, and the answer is the same."""
    low, high = 5, 7
    other = low + 1
    key = (low * SPREAD ^ high) & (2**64 - 1)
    shared = [np.array([half, key ^ (half * SPREAD & (2**64 - 1))], np.uint64).tobytes() for half in (low, other)]
    bench.write(stored([span(1, 1, "web", trace=shared[0]), span(3, 3, "web"), span(4, 4, "web")]))
    bench.write(stored([span(1, 2, "db", b"parent..", trace=shared[1]), span(3, 5, "db", b"parent..")]))
    assert told(bench, ROOT_AND_OTHER) == {shared[0], trace_id(3)}
    assert found(bench, ROOT_AND_OTHER) == [trace_id(3).hex()]


def test_many_new_rows_are_left_to_who_asks_again(bench, monkeypatch):
    """What nobody asked for lately is not read for one question, if it is much; the next one has it read."""
    bench.write(stored([span(number, number, "web") for number in range(1, 9)]))
    monkeypatch.setattr(whole_parts, "_NEW_ROWS", 8)

    def ask(session):
        return are_asked_first(session, session.parts(Signal.SPANS, WINDOW))

    assert not bench.engine.run_here(ask)
    monkeypatch.setattr(whole_parts, "_NEW_ROWS", 7)
    assert bench.engine.run_here(ask)
    assert not bench.engine.run_here(ask)


def made(rng):
    """Spans of 60 traces of up to five spans, in any order; some without an id of a trace, parents of every form."""
    rows = []
    for number in range(1, 61):
        for own in range(rng.randrange(1, 6)):
            parent = rng.choice([None, NO_PARENT, b"nobody..", *[(10 * number + at).to_bytes(8, "big")
                                                                 for at in range(own)] * 2])  # fmt: skip
            row = span(number, 10 * number + own, rng.choice(["web", "db", "shop", "mail"]), parent)
            rows.append({**row, "status_code": rng.choice([0, 0, 2])})
    return rng.sample(rows, len(rows))


def having(rows, *conditions):
    """The traces with a span for each condition, newest first span of any first."""
    firsts = {}
    for row in rows:
        firsts[row["trace_id"]] = min(row["start_time_ns"], firsts.get(row["trace_id"], row["start_time_ns"]))
    every = [{row["trace_id"] for row in rows if condition(row)} for condition in conditions]
    return sorted(set.intersection(*every), key=lambda own: (firsts[own], own), reverse=True)


def of(service):
    """Whether a span is of a service."""
    return lambda row: row[SERVICE] == service


def failed(row):
    """Whether a span failed."""
    return row["status_code"] == 2


def root(row):
    """Whether a span has no parent."""
    return row["parent_span_id"] in (None, NO_PARENT)


#: Filters of whole traces, and the conditions for each of which such a trace has a span.
MEANT = {
    "root(service:web) trace(service:db)": (lambda row: root(row) and of("web")(row), of("db")),
    "root(status = error) trace(service:mail)": (lambda row: root(row) and failed(row), of("mail")),
    "trace(service:web) trace(service:shop)": (of("web"), of("shop")),
    "trace.services = web and trace.services = db and trace.services = mail": (of("web"), of("db"), of("mail")),
    "trace(service:web status = error) trace(service:db)": (lambda row: of("web")(row) and failed(row), of("db")),
    "trace(service:nobody) trace(service:db)": (of("nobody"), of("db")),
}


@pytest.mark.usefixtures("asking")
@pytest.mark.parametrize(("text", "seed"), [*product(MEANT, [1, 2])])
def test_searches_find_what_a_look_at_all_spans_finds(bench, monkeypatch, text, seed):
    """No trace is lost, and none too many is found, in segments and in memory; asked again, and of SQL."""
    rng = random.Random(seed)  # noqa: S311 - sample data
    rows = made(rng)
    cuts = [0, *sorted(rng.sample(range(1, len(rows)), 3)), len(rows)]
    for part, (begin, end) in enumerate(pairwise(cuts)):
        (bench.write if part < 3 else bench.buffer)(stored(rows[begin:end]))
    bench.forget_recent()
    wanted = having(rows, *MEANT[text])
    assert told(bench, text) == set(wanted)
    for _ in range(2):
        assert found(bench, text) == [own.hex() for own in wanted]
    monkeypatch.setattr(first_related, "_RELATED_ROWS", 0)
    monkeypatch.setattr(bench.engine, "kept", PartCache(0))
    assert found(bench, text) == [own.hex() for own in wanted]
