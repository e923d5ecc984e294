"""A trace in columns: the same spans as in full, as much of them as a waterfall draws and finds by."""

from __future__ import annotations

import pyarrow as pa
import pytest

from spanglass_core.traces.trace_nodes import Node
from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.one_trace import trace_spans, view
from spanglass_server.query.one_trace.columns import Columns, Texts
from spanglass_server.query.one_trace.view import show_attributes, show_columns, show_span, show_trace, show_waterfall
from spanglass_server.query.trace_tree import building

TRACE_ID = b"\x01" * 16
NOW_NS = 5_000_000


def span(number, parent=None, *, start=1000, duration=100, **more):
    """Make a stored span of the trace; times in nanoseconds."""
    return {
        "trace_id": TRACE_ID,
        "span_id": number.to_bytes(8, "big"),
        "parent_span_id": parent.to_bytes(8, "big") if parent else None,
        "resource.service.name:str": "web",
        "name": f"span {number}",
        "start_time_ns": start,
        "duration_ns": duration,
        **more,
    }


def unpack(answer):
    """Make spans of an answer's columns, by what docs/api.md says of them."""
    count = answer["span_count"]
    columns = {}
    for name, column in answer["columns"].items():
        if isinstance(column, list):
            columns[name] = column
        elif "at" in column:
            columns[name] = [column["values"][at] for at in column["at"]]
        else:
            found = dict(zip(column["rows"], column["values"], strict=True))
            columns[name] = [found.get(row, column["else"]) for row in range(count)]
    return [{name: column[row] for name, column in columns.items()} for row in range(count)]


def rows_by_value(answer):
    """Return the rows that have an attribute, by key and value."""
    found = {}
    for entry in answer["attributes"]:
        for value, distances in zip(entry["values"], entry["rows"], strict=True):
            found[entry["key"], value] = [sum(distances[: place + 1]) for place in range(len(distances))]
    return found


def test_columns_are_the_spans(open_tables):
    """Row by row they say what the spans say in full, in the order of the tree, without copies."""
    error = {
        "status_code": 2,
        "status_message": "no rate",
        "event_time_ns": [1030, 1035],
        "event_name": ["log", "exception"],
        "event.exception.stacktrace:str": [None, "Traceback"],
        "event.exception.message:str": [None, "m" * 400],
        "event.other:str": ["x", "y"],
        "event.spanglass.exception.occurrence_id:str": [None, "o1"],
    }
    call = {"kind": 3, "span.db.system:str": "x", "span.db.statement:str": "SELECT 2 FROM b"}
    session = open_tables(
        spans=[
            span(3, 2, start=1040, duration=10, **{"span.db.statement:str": "SELECT  1\n FROM price"}),
            span(4, 2, start=1020, duration=10, **call),
            span(1),
            span(2, 1, start=1020, duration=50, **error),
            span(2, 1, start=1020, duration=50, **error),
            span(9, 8, start=2000, **{"resource.service.name:str": "db"}),
        ]
    )

    answer, full = show_columns(session, TRACE_ID, NOW_NS), show_trace(session, TRACE_ID, NOW_NS)

    assert list(answer["columns"]) == list(Columns.__annotations__)
    brief = unpack(answer)
    own = {"query", "target", "events"}
    assert [{name: one[name] for name in Columns.__annotations__ if name not in own} for one in full["spans"]] == [
        {name: value for name, value in one.items() if name not in own} for one in brief
    ]
    assert [(one["key"], one["query"], one["target"], one["events"]) for one in brief] == [
        ("0000000000000001", "", "", []),
        ("0000000000000002", "", "", [
            {"offset_ns": 10, "name": "log", "attributes": {}},
            {"offset_ns": 15, "name": "exception", "attributes": {
                "exception.message": "m" * 300, "spanglass.exception.occurrence_id": "o1", "exception.stacktrace": ""}},
        ]),
        ("0000000000000004", "SELECT 2 FROM b", "b", []),
        ("0000000000000003", "SELECT 1 FROM price", "", []),
        ("0000000000000009", "", "", []),
    ]  # fmt: skip
    head = {name: value for name, value in full.items() if name != "spans"}
    assert {name: answer[name] for name in head} == head
    assert (answer["span_count"], answer["duplicate_spans"]) == (5, 1)


def test_spans_are_found_by_their_attributes(open_tables):
    """Each value of each key names its rows: of every type, of the overflow too, not of a copy."""
    session = open_tables(
        spans=[
            span(1, **{"span.a:str": "x", "span.n:int": 2**60, "span.flag:bool": True}),
            span(2, 1, start=1010, **{"span.a:str": "y", "span.list:json": '["p", {"q": null}]'}),
            span(3, 1, start=1020, **{"span.a:str": "x", "span.a:int": 7}),
            span(3, 1, start=1020, **{"span.a:str": "x", "span.a:int": 7}),
            span(4, 1, start=1030, overflow_name=["span.a:str", "event.e:str"], overflow_value=["x", "no"],
                 overflow_index=[0, 0]),
            span(5, 1, start=1040, **{"span.long:str": "z" * 5000}),
        ]
    )  # fmt: skip

    assert rows_by_value(show_columns(session, TRACE_ID, NOW_NS)) == {
        ("a", "x"): [0, 2, 3],
        ("a", "y"): [1],
        ("a", "7"): [2],
        ("flag", "true"): [0],
        ("list", "[p, {q: null}]"): [1],
        ("long", "z" * 2000): [4],
        ("n", str(2**60)): [0],
    }


def test_columns_in_two_parts(open_tables, monkeypatch):
    """A waterfall has the columns without what its spans' own times say; attributes of a large trace come apart."""
    own = {"span.a:str": "x"}
    session = open_tables(spans=[span(1, duration=400, **own), span(2, 1, start=1100), span(3, 1, start=1250)])
    whole = show_columns(session, TRACE_ID, NOW_NS)
    monkeypatch.setattr(view, "MOST_INDEXED", 2)

    found = show_waterfall(session, TRACE_ID, NOW_NS)

    parts = [[[0, 100], [200, 50], [350, 50]], [[100, 100]], [[250, 100]]]
    assert whole["columns"]["critical"] == {"else": [], "rows": [0, 1, 2], "values": parts}
    critical = {"critical": {"else": [], "rows": [0], "values": parts[:1]}, "critical_whole": [1, 1]}
    assert found == {**whole, "columns": {**whole["columns"], **critical}, "attributes": None}
    assert show_attributes(session, TRACE_ID, NOW_NS) == {
        "trace_id": TRACE_ID.hex(), "key": whole["columns"]["key"], "attributes": whole["attributes"],
    }  # fmt: skip
    monkeypatch.setattr(view, "MOST_INDEXED", 3)
    assert show_waterfall(session, TRACE_ID, NOW_NS)["attributes"] == whole["attributes"]


def test_one_span_in_full(open_tables):
    """A span is what it is in its trace, without its place in the tree; one that is not there is not found."""
    session = open_tables(spans=[span(1), span(2, 1, **{"span.a:str": "x"})])

    found = show_span(session, TRACE_ID, "0000000000000002", NOW_NS)

    place = {"parent_key", "depth", "offset_ns", "self_time_ns", "critical", "awaited", "skew_ns", "orphan", "children"}
    whole = show_trace(session, TRACE_ID, NOW_NS)["spans"][1]
    assert found == {"trace_id": "01" * 16, **{name: value for name, value in whole.items() if name not in place}}
    for key in ("0000000000000003", "zz", ""):
        with pytest.raises(BadQuestionError, match="no span") as caught:
            show_span(session, TRACE_ID, key, NOW_NS)
        assert caught.value.code == "not_found"


def table_of(count):
    """Make the stored rows of a trace of ``count`` spans: a root and its children."""
    ids = [number.to_bytes(8, "big") for number in range(1, count + 1)]
    return pa.table(
        {
            "trace_id": [TRACE_ID] * count,
            "span_id": ids,
            "parent_span_id": [None, *([ids[0]] * (count - 1))],
            "name": ["step"] * count,
            "start_time_ns": range(1000, 1000 + count),
            "duration_ns": [count, *([10] * (count - 1))],
            "resource.service.name:str": ["web"] * count,
        }
    )


@pytest.mark.parametrize("show", [show_trace, show_columns])
def test_a_large_trace_costs_what_its_spans_cost(open_tables, monkeypatch, show):
    """Of 20 000 spans each is looked at as often as of 200: with the square of their number it would be 100 times."""
    session, looks, real = open_tables(spans=[]), [], Node.end_ns.fget
    for count in (200, 20_000):
        seen = []

        def counted(node, seen=seen):
            seen.append(1)
            return real(node)

        monkeypatch.setattr(trace_spans, "fetch_spans", lambda *_, count=count: table_of(count))
        monkeypatch.setattr(building, "FEW", 10**9)  # of nodes, as odd traces of any size are
        monkeypatch.setattr(Node, "end_ns", property(counted))
        assert show(session, TRACE_ID, NOW_NS)["span_count"] == count
        looks.append(len(seen) / count)
    assert looks[1] == pytest.approx(looks[0], abs=0.1)


def test_many_spans_read_together_say_what_each_says(open_tables):
    """Queries, targets and events of hundreds of spans are those that each has by itself, also of equal calls."""
    calls = (
        {"kind": 3, "name": "SELECT", "span.db.system.name:str": "x", "span.db.query.text:str": "SELECT  1 FROM a"},
        {"kind": 3, "name": "SELECT", "span.db.system:str": "x", "span.db.statement:str": "SELECT 2\nFROM b"},
        {"kind": 3, "name": "GET", "span.server.address:str": "shop", "span.server.port:int": 80, "status_code": 2},
        {"kind": 2, "name": "GET", "span.url.path:str": "/a", "event_time_ns": [1001], "event_name": ["log"]},
        {"kind": None, "name": None, "resource.service.name:str": None},
    )
    session = open_tables(spans=[span(1 + place, **calls[place % len(calls)]) for place in range(300)])
    read = trace_spans.read_spans(session, TRACE_ID, NOW_NS)

    together = read.stored.briefs()
    each = [read.stored.brief(row) for row in range(read.stored.count)]
    assert {name: list(values) for name, values in together.items()} == {
        name: [brief[name] for brief in each] for name in together
    }
    assert set(together["target"]) == {"a", "b", "shop:80", ""}
    assert together.keys() == each[0].keys()

    coded = read.stored.coded_briefs()
    by_number = {name for name, column in coded.items() if isinstance(column, Texts)}
    assert by_number == {"name", "service", "kind", "status", "query", "target"}
    assert together == {
        name: [column.texts[number] for number in column.numbers] if name in by_number else column
        for name, column in coded.items()
    }
    answer, spans = show_columns(session, TRACE_ID, NOW_NS), show_trace(session, TRACE_ID, NOW_NS)["spans"]
    for name in ("name", "service", "kind", "status"):
        assert [row[name] for row in unpack(answer)] == [one[name] for one in spans]
        assert answer["columns"][name]["values"] == [*dict.fromkeys(one[name] for one in spans)]
