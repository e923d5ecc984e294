"""Searches by other spans, over segments and chunks: their pages are what a plain look at all spans finds."""

from __future__ import annotations

import random
from collections import defaultdict
from itertools import pairwise

import pyarrow as pa
import pytest
from stored_spans import Bench, trace_id

from spanglass_server.query import matching
from spanglass_server.query.kept_columns import first_related
from spanglass_server.query.matching import SpanQuestion
from spanglass_server.query.structure import few_traces, kept_candidates
from spanglass_server.query.traces import search
from spanglass_server.query.traces.search import Page, search_traces
from spanglass_server.service_names import SERVICE
from spanglass_server.store.part_cache import PartCache
from spanglass_server.store.ports import Window
from spanglass_server.store.segment_files import segments

SECOND = 1_000_000_000
START = 1_790_000_000 * SECOND
HOUR = 3600
WINDOW = Window(START, START + 9 * HOUR * SECOND)
#: How long after the span before it a span of a trace may begin, in seconds: most traces are short, some run for hours.
GAPS = [0, 0.01, 0.5, 0.5, 2, 2, 30, 400, 1500, HOUR // 2]


def made(rng):
    """Spans of 80 traces of six hours; each is a child of an earlier one, of none, or of one that was never sent."""
    rows = []
    for number in range(1, 81):
        start_s, gaps, spans = rng.uniform(0, 6 * HOUR), rng.choice([GAPS[:6], GAPS]), []
        for place in range(rng.randrange(1, 7)):
            start_s += rng.choice(gaps) * (place > 0)
            parent = rng.choice([b"nobody..", *[one["span_id"] for one in spans] * 4]) if place else None
            spans.append(
                {
                    "trace_id": trace_id(number),
                    "span_id": rng.randbytes(8),
                    "parent_span_id": parent,
                    "start_time_ns": START + int(start_s * SECOND),
                    "duration_ns": rng.choice([1, 300, 2_000, 40_000]) * 1_000_000,
                    SERVICE: rng.choice(["web", "shop", "db"]),
                    "name": f"n{rng.randrange(20)}",
                    "status_code": rng.choice([0, 0, 0, 2]),
                }
            )
        rows += spans
    return rows


def arrived(rng, rows):
    """The rows in the order of their arrival: most when they end, some hours late, and a few twice."""
    late = [rng.choice([0, 0, 0, 0, 30, 5 * HOUR]) for _ in rows]
    order = sorted(range(len(rows)), key=lambda place: rows[place]["start_time_ns"] + late[place] * SECOND)
    return [rows[place] for place in order for _ in range(1 + (rng.random() < 0.02))]


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """Those spans, and a bench with them: in four segments of many row groups and in three chunks of memory."""
    rng = random.Random(11)  # noqa: S311 - sample data
    rows = made(rng)
    types = {"parent_span_id": pa.binary(), "status_code": pa.uint8()}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(segments, "ROW_GROUP_ROWS", 16)
        bench = Bench(tmp_path_factory.mktemp("structure") / "data")
        whole = pa.Table.from_pylist(arrived(rng, rows))
        for name, kind in types.items():
            whole = whole.set_column(whole.column_names.index(name), name, whole[name].cast(kind))
        cuts = [0, *sorted(rng.sample(range(1, whole.num_rows), 6)), whole.num_rows]
        for part, (begin, end) in enumerate(pairwise(cuts)):
            (bench.write if part < 4 else bench.buffer)(whole.slice(begin, end - begin))
    yield rows, bench
    bench.close()


class Tree:
    """The spans of a trace, and what stands to one of them."""

    def __init__(self, spans):
        self.spans = spans
        self.by_id = {one["span_id"]: one for one in spans}
        self.duration_s = (
            max(one["start_time_ns"] + one["duration_ns"] for one in spans) - min(one["start_time_ns"] for one in spans)
        ) / SECOND
        self.services = {one[SERVICE] for one in spans}

    def parents(self, one):
        """The span's parent, if it was sent, in a list."""
        return [self.by_id[one["parent_span_id"]]] if one["parent_span_id"] in self.by_id else []

    def ancestors(self, one):
        """Its parent and the parent's ancestors."""
        return [above for parent in self.parents(one) for above in [parent, *self.ancestors(parent)]]

    def children(self, one):
        """The spans that name it as their parent."""
        return [other for other in self.spans if other["parent_span_id"] == one["span_id"]]

    def descendants(self, one):
        """Its children and their descendants."""
        return [below for child in self.children(one) for below in [child, *self.descendants(child)]]

    def siblings(self, one):
        """Other spans with its parent."""
        return [
            other for other in self.spans
            if other is not one and one["parent_span_id"] and other["parent_span_id"] == one["parent_span_id"]
        ]  # fmt: skip


def failed(one):
    return one["status_code"] == 2


def slow_db(one):
    return one[SERVICE] == "db" and one["duration_ns"] > 100_000_000


#: Filters, and whether a span of a tree is meant.
FILTERS = {
    "descendant(status = error)": lambda tree, one: any(map(failed, tree.descendants(one))),
    "descendant(status = error) service:web": lambda tree, one: (
        one[SERVICE] == "web" and any(map(failed, tree.descendants(one)))
    ),
    "ancestor(status = error)": lambda tree, one: any(map(failed, tree.ancestors(one))),
    "child(service:db duration > 100ms)": lambda tree, one: any(map(slow_db, tree.children(one))),
    "child(service:db) > 1": lambda tree, one: sum(child[SERVICE] == "db" for child in tree.children(one)) > 1,
    "parent(status = error)": lambda tree, one: any(map(failed, tree.parents(one))),
    "sibling(status = error)": lambda tree, one: any(map(failed, tree.siblings(one))),
    "sibling(service:db) = 0 child()": lambda tree, one: (
        bool(tree.children(one)) and all(other[SERVICE] != "db" for other in tree.siblings(one))
    ),
    "child(status = error) parent(service:web)": lambda tree, one: (
        any(map(failed, tree.children(one))) and any(parent[SERVICE] == "web" for parent in tree.parents(one))
    ),
    "root(service:web) trace(name:n1)": lambda tree, _: (
        any(one[SERVICE] == "web" and not one["parent_span_id"] for one in tree.spans)
        and any(one["name"] == "n1" for one in tree.spans)
    ),
    "descendant(name:n1 status = error)": lambda tree, one: any(
        failed(other) and other["name"] == "n1" for other in tree.descendants(one)
    ),
    "descendant(service:nobody)": lambda _tree, _one: False,
    "not child()": lambda tree, one: not tree.children(one),
    "child(service:db) = 0 service:web": lambda tree, one: (
        one[SERVICE] == "web" and not any(child[SERVICE] == "db" for child in tree.children(one))
    ),
    "sibling(service:db) >= 2": lambda tree, one: sum(other[SERVICE] == "db" for other in tree.siblings(one)) >= 2,
    "descendant(service:db) = 2": lambda tree, one: sum(below[SERVICE] == "db" for below in tree.descendants(one)) == 2,
    "ancestor(service:web) > 1": lambda tree, one: sum(above[SERVICE] == "web" for above in tree.ancestors(one)) > 1,
    "trace(status = error) > 1": lambda tree, _: sum(map(failed, tree.spans)) > 1,
    "trace.duration > 50s": lambda tree, _: tree.duration_s > 50,
    "trace.duration > 30m service:db": lambda tree, one: tree.duration_s > 1800 and one[SERVICE] == "db",
    "trace.duration < 1s": lambda tree, _: tree.duration_s < 1,
    "trace.duration > 1d": lambda _tree, _one: False,
    "trace.spans >= 5": lambda tree, _: len(tree.spans) >= 5,
    "trace.spans = 1": lambda tree, _: len(tree.spans) == 1,
    "trace.errors >= 2 service:db": lambda tree, one: sum(map(failed, tree.spans)) >= 2 and one[SERVICE] == "db",
    "trace.services = db and trace.services = shop": lambda tree, _: {"db", "shop"} <= tree.services,
    "trace.services = db and trace.services != shop": lambda tree, _: (
        "db" in tree.services and "shop" not in tree.services
    ),
}
#: How many traces a page has, and how many pages are asked for: of two sizes all.
PAGES = {1: 6, 20: 4, 1000: 1}
#: Some, which SQL is to find too.
SOME = ("descendant(status = error)", "sibling(status = error)", "not child()", "trace.duration > 50s")
ASKED = [
    *((text, "columns") for text in FILTERS),
    *((text, way) for text in FILTERS for way in ("little", "few at once")),
    *((text, "SQL") for text in SOME),
]


def expected(rows, meant, *, descending):
    """The traces with spans that are meant, by the first of these."""
    spans = defaultdict(list)
    for one in rows:
        spans[one["trace_id"]].append(one)
    firsts = {}
    for own, inside in spans.items():
        tree = Tree(inside)
        starts = [one["start_time_ns"] for one in inside if meant(tree, one)]
        if starts:
            firsts[own] = min(starts)
    return [own.hex() for own in sorted(firsts, key=lambda own: (firsts[own], own), reverse=descending)]


def asked(bench, text, limit, *, descending):
    """The traces of the first pages of a search, as many as ``PAGES`` says, in order."""
    found, cursor = [], None
    for _ in range(PAGES[limit]):
        page = Page(limit, "time", descending, cursor)
        answer = bench.engine.run_here(
            lambda session, page=page: search_traces(session, SpanQuestion(WINDOW, text), page, WINDOW.end_ns)
        )
        found += [trace["trace_id"] for trace in answer["traces"]]
        cursor = answer["next_cursor"]
        if cursor is None:
            break
    return found


@pytest.mark.parametrize(("text", "way"), ASKED)
def test_pages_say_what_a_look_at_all_spans_says(stored, monkeypatch, text, way):
    """No trace is lost or in another place, however far apart its spans lie, and wherever and however late they came.

    Whatever the size of a page and of the parts that are looked at, in columns that are kept and without these.
    """
    rows, bench = stored
    if way == "SQL":
        monkeypatch.setattr(first_related, "_RELATED_ROWS", 0)
        monkeypatch.setattr(bench.engine, "kept", PartCache(0))
    if way != "columns":
        monkeypatch.setattr(search, "_FIRST_OF_STRUCTURE", 10)
    if way == "few at once":
        monkeypatch.setattr(matching, "_FEW_AT_ONCE", 2)
        monkeypatch.setattr(matching, "_FEW", 4)
    if way == "little":
        monkeypatch.setattr(kept_candidates, "_MOST_TRACES", 0)
        monkeypatch.setattr(search, "_SPANS_OF_STRUCTURE", 40)
        monkeypatch.setattr(few_traces, "_FEW_RECORDS", 5)
    for limit, descending in ((1, False), (20, True), (1000, True)):
        wanted = expected(rows, FILTERS[text], descending=descending)
        assert asked(bench, text, limit, descending=descending) == wanted[: limit * PAGES[limit]]
