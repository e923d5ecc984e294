"""Stacks that a profiler sent, over tables written by hand: whose they are, and that no log shows them."""

from __future__ import annotations

import pytest

from spanglass_server.promql.stored.counting.filters import condition
from spanglass_server.query.attributes.facets import count_facets
from spanglass_server.query.errors import FilterError
from spanglass_server.query.logs.search import count_logs, search_logs
from spanglass_server.query.own_events import WALL
from spanglass_server.query.profiles import reading
from spanglass_server.query.profiles.answering import profile
from spanglass_server.query.profiles.reading import ProfileQuestion
from spanglass_server.signals import Signal
from spanglass_server.store.ports import Part, Window

SECOND, MS = 1_000_000_000, 1_000_000
T0 = 1_795_000_000 * SECOND
WINDOW = Window(T0, T0 + 600 * SECOND)
TRACE = bytes([7]) * 16


def told(stack, wall, cpu, *, name=None, operation=None, span=None, at=10, service="shop", samples=2):
    """Make the log record of a stack; times are in milliseconds."""
    return {
        "time_ns": T0 + at * SECOND, "event_name": "spanglass.profile.stack", "body": stack, "arrival_order": at,
        "resource.service.name:str": service, "trace_id": span and TRACE, "span_id": span and bytes([span]) * 8,
        "log.spanglass.profile.wall_nano:int": wall * MS, "log.spanglass.profile.samples:int": samples,
        "log.spanglass.profile.cpu_nano:int": None if cpu is None else cpu * MS,
        "log.spanglass.span.name:str": name, "log.spanglass.profile.operation:str": operation, "severity_number": 1,
    }  # fmt: skip


MAIN, WORK = "app:main (/a.py:1)", "app.cart:work (/c.py:9)"
STACKS = [
    told(f"{MAIN}\n{WORK}", 100, 40, name="SELECT", operation="GET /cart", span=3),
    told(f"{MAIN}\n{WORK}", 50, 50, name="GET /cart", operation="GET /cart", span=2),
    told(MAIN, 30, 30, name="GET /", operation="GET /", span=1),
    told("gc:collect (/g.py:2)", 20, 20),
    told(MAIN, 7, None, name="GET /", operation="GET /", service="other"),
]
LINE = {"time_ns": T0 + SECOND, "body": "hello", "severity_number": 9, "resource.service.name:str": "shop",
        "event_name": "greeting", "arrival_order": 1}  # fmt: skip
SPANS = [
    {"trace_id": TRACE, "span_id": bytes([number]) * 8, "parent_span_id": parent and bytes([parent]) * 8, "name": "x",
     "kind": 1, "start_time_ns": T0, "duration_ns": SECOND, "resource.service.name:str": "shop"}
    for number, parent in ((1, None), (2, 1), (3, 2))
]  # fmt: skip


def asked(session, **question):
    """Ask, and return the answer with its frames as names, depth, own and whole milliseconds."""
    answer = profile(session, ProfileQuestion(WINDOW, **question), 100)
    frames = [(frame["function"], frame["depth"], frame["self_ns"] / MS, frame["total_ns"] / MS)
              for frame in answer["frames"]]  # fmt: skip
    return answer, frames


def test_stacks_are_those_of_what_is_asked_for(open_tables):
    """Of everything, a service, an operation, a trace, a span with those below it, a filter; by time or by work."""
    session = open_tables(logs=[LINE, *STACKS], spans=SPANS)
    answer, frames = asked(session)
    assert frames == [("main", 0, 37, 187), ("work", 1, 150, 150), ("collect", 0, 20, 20)]
    assert (answer["samples"], answer["wall_ns"], answer["cpu_ns"]) == (10, 207 * MS, 140 * MS)
    assert [(one["function"], one["self_ns"] / MS, one["total_ns"] / MS) for one in answer["functions"]] == [
        ("work", 150, 150), ("main", 37, 187), ("collect", 20, 20)]  # fmt: skip
    assert answer["functions"][0]["line"] == 9
    assert [(one["service"], one["operation"], one["wall_ns"] / MS, one["cpu_ns"]) for one in answer["operations"]] == [
        ("shop", "GET /cart", 150, 90 * MS), ("shop", "GET /", 30, 30 * MS), ("shop", None, 20, 20 * MS),
        ("other", "GET /", 7, None)]  # fmt: skip
    assert asked(session, measure="cpu")[1] == [("main", 0, 30, 120), ("work", 1, 90, 90), ("collect", 0, 20, 20)]
    assert asked(session, service="other")[1] == [("main", 0, 7, 7)]
    assert asked(session, operation="GET /cart")[1] == [("main", 0, 0, 150), ("work", 1, 150, 150)]
    assert asked(session, operation="SELECT")[1] == [("main", 0, 0, 100), ("work", 1, 100, 100)]
    assert asked(session, trace_id=TRACE)[0]["wall_ns"] == 180 * MS
    assert asked(session, trace_id=TRACE, span_id=bytes([2]) * 8)[0]["wall_ns"] == 150 * MS
    assert asked(session, filter="spanglass.profile.wall_nano > 40000000")[0]["wall_ns"] == 150 * MS
    assert asked(session, service="nobody")[0]["frames"] == []
    with pytest.raises(FilterError):
        asked(session, filter="service.name = ")
    assert asked(open_tables(logs=[LINE]))[0]["operations"] == []


def test_no_log_shows_them(open_tables):
    """Searches, counts, facets and series of log records leave stacks out, unless a filter names their event."""
    session = open_tables(logs=[LINE, *STACKS])
    assert [line["body"] for line in search_logs(session, WINDOW)["logs"]] == ["hello"]
    assert count_logs(session, WINDOW)["total"] == 1
    assert count_logs(session, WINDOW, filter_text="event_name = spanglass.profile.stack")["total"] == 5
    (facet,) = count_facets(session, Signal.LOGS, WINDOW, keys=["event_name"])["facets"]
    assert [value["value"] for value in facet["values"]] == ["greeting"]
    hidden = condition((), Signal.LOGS, frozenset({WALL, "event_name"}))
    assert hidden.sql.parameters == ("spanglass.profile.stack",)
    named = condition(("event_name = spanglass.profile.stack",), Signal.LOGS, frozenset({WALL, "event_name"}))
    assert "DISTINCT" not in named.sql.text


def test_absurd_figures_hide_nothing(open_tables):
    """Figures of 63 bits, none or below zero make no error and no total below zero: a record's share is bounded."""
    largest = 2**63 - 1
    absurd = [
        told(f"m:f{number}", 1, 1, samples=largest)
        | dict.fromkeys(("log.spanglass.profile.wall_nano:int", "log.spanglass.profile.cpu_nano:int"), largest)
        for number in range(3)
    ]
    answer, _ = asked(open_tables(logs=[*absurd, told(MAIN, 1, 1, samples=-5), told(MAIN, 1, -1, samples=0)]))
    assert (answer["samples"], answer["wall_ns"]) == (3 * 10**15, 3 * 10**15 + 2 * MS)
    assert answer["cpu_ns"] == 3 * 10**15 + MS
    assert {frame["function"] for frame in answer["frames"]} == {"f0", "f1", "f2", "main"}


def test_of_many_some_are_read(open_tables, monkeypatch):
    """Slices stand for the range; stacks beyond a number keep their time."""
    many = [told(f"{MAIN}\nm:f{number}", 10, 5, at=number // 10, samples=1) for number in range(5000)]
    session = open_tables(logs=many)
    monkeypatch.setattr(reading, "MOST_RECORDS", 1000)
    monkeypatch.setattr(reading, "MOST_STACKS", 50)
    part = Part(("all", 1), Signal.LOGS, 5000, T0, T0 + 500 * SECOND, frozenset({WALL}))
    monkeypatch.setattr(session, "parts", lambda *_: [part])
    answer, frames = asked(session)
    assert 0.15 < answer["sampled_share"] < 0.25
    assert 45_000 * MS < answer["wall_ns"] < 55_000 * MS
    assert frames[0][0] == "(other stacks)"
    assert abs(sum(frame[2] for frame in frames) * MS - answer["wall_ns"]) < 100 * MS
