"""Spans that have not ended: running, lost, ended after all; in the list, in their trace, and nowhere in the logs."""

from __future__ import annotations

import sys
from pathlib import Path

import pyarrow as pa
import pytest

from spanglass_server.query.attributes.facets import count_facets
from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.logs.search import count_logs, search_logs
from spanglass_server.query.one_trace.view import show_trace, show_trace_otlp
from spanglass_server.query.traces.running import list_running
from spanglass_server.signals import Signal
from spanglass_server.store.ports import Window
from spanglass_server.store.sessions.connections import EngineLimits
from spanglass_server.store.sessions.engine import Engine

sys.path.insert(0, str(Path(__file__).parents[2] / "store"))

from stored_spans import Bench

SECOND = 1_000_000_000
#: Now, by the server's clock; the application's is ten minutes behind unless a test says otherwise.
NOW = 100_000 * SECOND
WINDOW = Window(NOW - 3_600 * SECOND, NOW)
TRACE = b"\x01" * 16


def span_id(number):
    """Make a span's id."""
    return bytes([number]) * 8


def announcement(number, *, ago, open_for, parent=None, trace=TRACE, skew=-600 * SECOND, **more):
    """Make a stored announcement received ``ago`` seconds before now, when the span was open for so many seconds."""
    at = NOW - round(ago * SECOND)
    return {
        "time_ns": at + skew,
        "received_time_ns": at,
        "severity_number": 1,
        "body": f"span {number} is running",
        "event_name": "spanglass.span.running",
        "trace_id": trace,
        "span_id": span_id(number),
        "scope_name": "shop",
        "resource.service.name:str": "web",
        "log.spanglass.span.name:str": f"span {number}",
        "log.spanglass.span.kind:str": "server",
        "log.spanglass.span.start_unix_nano:int": at + skew - round(open_for * SECOND),
        "log.spanglass.span.repeat_nano:int": 10 * SECOND,
        "log.spanglass.span.parent_id:str": span_id(parent).hex() if parent else None,
        **more,
    }


def ended(number, *, parent=None, start=NOW - 60 * SECOND, trace=TRACE, **more):
    """Make a stored span."""
    return {
        "trace_id": trace,
        "span_id": span_id(number),
        "parent_span_id": span_id(parent) if parent else None,
        "name": f"span {number}",
        "kind": 2,
        "start_time_ns": start,
        "duration_ns": SECOND,
        "resource.service.name:str": "web",
        **more,
    }


def states(answer):
    """Return name and state of each span of an answer."""
    return [(span["name"], span["state"]) for span in answer["spans"]]


def test_a_running_span(open_tables):
    """It is as old as its own clock said when it was last heard of, and the time since; its newest record counts."""
    session = open_tables(
        logs=[
            announcement(1, ago=14, open_for=2),
            announcement(1, ago=4, open_for=12, parent=9, **{"log.spanglass.span.status:str": "error"}),
        ]
    )
    assert list_running(session, WINDOW, NOW) == {
        "running": 1,
        "lost": 0,
        "spans": [
            {
                "trace_id": "01" * 16, "span_id": "01" * 8, "parent_span_id": "09" * 8, "service": "web", "slot": 5,
                "name": "span 1", "kind": "server", "status": "error", "state": "running",
                "start_time": "1970-01-02T03:36:24.000000000Z",  # by its own clock, ten minutes behind
                "duration_ns": 16 * SECOND,
                "last_heard_time": "1970-01-02T03:46:36.000000000Z",  # by the server's
            }
        ],
    }  # fmt: skip


def test_a_child_is_not_longer_than_its_parent(open_tables):
    """The announcement that waited least on its way tells the clocks apart, for all of a service's spans in a trace."""
    waited = announcement(1, ago=4, open_for=10)
    waited["received_time_ns"] += SECOND  # in a queue
    session = open_tables(logs=[waited, announcement(2, ago=4, open_for=10, parent=1)])

    assert [span["duration_ns"] for span in list_running(session, WINDOW, NOW)["spans"]] == [14 * SECOND] * 2


def test_a_lost_span(open_tables):
    """After three pauses without a word it is lost, and no older than when it was last heard of."""
    session = open_tables(
        logs=[
            announcement(1, ago=30, open_for=5),
            announcement(2, ago=30.1, open_for=5),
            announcement(3, ago=2, open_for=5, **{"log.spanglass.span.repeat_nano:int": SECOND // 2}),
            announcement(4, ago=31, open_for=5, **{"log.spanglass.span.repeat_nano:int": None}),
        ]
    )
    answer = list_running(session, WINDOW, NOW)
    assert [(span["name"], span["state"], span["duration_ns"] / SECOND) for span in answer["spans"]] == [
        ("span 1", "running", 35),
        ("span 3", "lost", 5),
        ("span 2", "lost", 5),
        ("span 4", "lost", 5),
    ]
    assert (answer["running"], answer["lost"]) == (1, 3)


def test_an_ended_span_is_not_open(open_tables):
    """One whose end was told is gone, and so is one that is stored, though nothing told of its end."""
    told = announcement(1, ago=1, open_for=9, **{"log.spanglass.span.ended:bool": True})
    silent = announcement(2, ago=2, open_for=4)
    session = open_tables(
        logs=[announcement(1, ago=3, open_for=7), told, silent, announcement(3, ago=2, open_for=4)],
        spans=[ended(2, start=silent["log.spanglass.span.start_unix_nano:int"])],
    )
    assert states(list_running(session, WINDOW, NOW)) == [("span 3", "running")]


def test_which_are_listed(open_tables):
    """A range has the spans that were open in it; by service, by state and at most so many, the newest first."""
    session = open_tables(
        logs=[
            announcement(1, ago=2, open_for=9000),
            announcement(2, ago=2, open_for=30),
            announcement(3, ago=500, open_for=5, **{"resource.service.name:str": None}),
            announcement(4, ago=4000, open_for=5),
        ]
    )
    assert states(list_running(session, WINDOW, NOW)) == [
        ("span 2", "running"), ("span 1", "running"), ("span 3", "lost"),
    ]  # fmt: skip
    assert states(list_running(session, WINDOW, NOW, limit=1)) == [("span 2", "running")]
    assert states(list_running(session, WINDOW, NOW, state="lost")) == [("span 3", "lost")]
    assert states(list_running(session, WINDOW, NOW, service="unknown_service")) == [("span 3", "lost")]
    earlier = Window(NOW - 8000 * SECOND, NOW - 3700 * SECOND)
    assert states(list_running(session, earlier, NOW)) == [("span 1", "running"), ("span 4", "lost")]


def test_a_trace_with_open_spans(open_tables):
    """Children that have ended stand below their running parent, which lasts until now; nothing is said to miss."""
    root = announcement(1, ago=4, open_for=12, skew=0, **{"log.http.route:str": "/cart", "scope_version": "2"})
    session = open_tables(
        logs=[root, announcement(3, ago=40, open_for=1, parent=1, skew=0)],
        spans=[ended(2, parent=1, start=NOW - 10 * SECOND), ended(7, trace=b"\x02" * 16)],
    )
    answer = show_trace(session, TRACE, NOW)
    assert [
        (s["name"], s["depth"], s["state"], s["duration_ns"] // SECOND, s["children"]) for s in answer["spans"]
    ] == [
        ("span 1", 0, "running", 16, 2),
        ("span 3", 1, "lost", 1, 0),
        ("span 2", 1, "ended", 1, 0),
    ]
    first = answer["spans"][0]
    assert (first["attributes"], first["scope"], first["resource"]) == (
        {"http.route": "/cart"}, {"name": "shop", "version": "2", "attributes": {}}, {"service.name": "web"},
    )  # fmt: skip
    assert (first["last_heard_time"], answer["spans"][2]["last_heard_time"]) == ("1970-01-02T03:46:36.000000000Z", None)
    assert (answer["warnings"], answer["span_count"], answer["running_count"], answer["lost_count"]) == ([], 3, 1, 1)
    assert answer["services"] == [
        {"service": "web", "slot": 5, "spans": 3, "errors": 0, "self_time_ns": answer["services"][0]["self_time_ns"]}
    ]


def test_a_trace_of_open_spans_only(open_tables):
    """It is found by its id while nothing of it is stored, but not as OTLP, which has no spans that have not ended."""
    session = open_tables(logs=[announcement(1, ago=4, open_for=12)])
    assert states(show_trace(session, TRACE, NOW)) == [("span 1", "running")]
    with pytest.raises(BadQuestionError):
        show_trace_otlp(session, TRACE)
    with pytest.raises(BadQuestionError):
        show_trace(session, b"\x02" * 16, NOW)


def test_a_stored_span_wins(open_tables):
    """Of a span that is stored nothing else is shown, whatever was announced."""
    session = open_tables(logs=[announcement(1, ago=4, open_for=12)], spans=[ended(1)])
    answer = show_trace(session, TRACE, NOW)
    assert states(answer) == [("span 1", "ended")]
    assert answer["duplicate_spans"] == 0


def test_damaged_announcements(open_tables):
    """Ids that are none and kinds that nobody knows break nothing; without a start there is no span."""
    session = open_tables(
        logs=[
            announcement(1, ago=1, open_for=3, **{"log.spanglass.span.parent_id:str": "zz"}),
            announcement(2, ago=1, open_for=3, **{"log.spanglass.span.kind:str": "odd"}),
            announcement(3, ago=1, open_for=3, **{"log.spanglass.span.start_unix_nano:int": None}),
            announcement(4, ago=1, open_for=3, trace=None),
            announcement(5, ago=40, open_for=3, **{"log.spanglass.span.repeat_nano:int": -5}),
        ]
    )
    found = list_running(session, WINDOW, NOW)["spans"]
    assert [(span["name"], span["kind"], span["parent_span_id"], span["state"]) for span in found] == [
        ("span 1", "server", None, "running"),
        ("span 2", "unspecified", None, "running"),
        ("span 5", "server", None, "lost"),
    ]


LOG = {"time_ns": NOW - SECOND, "severity_number": 9, "body": "a log line", "resource.service.name:str": "web"}


@pytest.mark.parametrize(
    ("filter_text", "bodies"),
    [
        ("", ["a log line"]),
        ("span", []),
        ("service = web or event_name exists", ["a log line"]),
        ("event_name = spanglass.span.running", ["span 1 is running"]),
        ('event in (other, "spanglass.span.running")', ["span 1 is running"]),
        ("not (event.name != spanglass.span.running)", ["span 1 is running"]),
    ],
)
def test_announcements_are_no_logs(open_tables, filter_text, bodies):
    """Search, counts and facets of logs leave them out, unless the filter names their event."""
    session = open_tables(logs=[LOG, announcement(1, ago=5, open_for=3, skew=0)])
    assert [log["body"] for log in search_logs(session, WINDOW, filter_text=filter_text)["logs"]] == bodies
    assert count_logs(session, WINDOW, filter_text=filter_text)["total"] == len(bodies)
    assert count_facets(session, Signal.LOGS, WINDOW, filter_text=filter_text)["total"] == len(bodies)


def test_logs_without_announcements_read_no_more(open_tables):
    """Where nothing was announced the event's name is not asked of any record."""
    session = open_tables(logs=[LOG])
    count_logs(session, WINDOW)
    assert not any("event_name" in statement for statement in session.statements)


SHARED = {"log.spanglass.span.kind:str": "client"}


def test_the_other_half_of_a_call_is_still_open(open_tables):
    """A server half that was announced is open, though the client half with its id is stored."""
    opened = announcement(1, ago=1, open_for=9, **{"resource.service.name:str": "back"})
    start = opened["log.spanglass.span.start_unix_nano:int"]
    session = open_tables(logs=[opened], spans=[ended(1, kind=3, start=start)])

    assert states(list_running(session, WINDOW, NOW)) == [("span 1", "running")]
    assert [(span["kind"], span["state"], span["key"]) for span in show_trace(session, TRACE, NOW)["spans"]] == [
        ("client", "ended", "0101010101010101-client"),
        ("server", "running", "0101010101010101-server"),
    ]


def test_both_halves_of_a_call_are_announced(open_tables):
    """Two halves that share an id are two open spans, and the end of one is not that of the other."""
    client = [announcement(1, ago=ago, open_for=12 - ago, **SHARED) for ago in (2, 1)]
    server = [
        announcement(1, ago=ago, open_for=11 - ago, **{"resource.service.name:str": "back"}, **more)
        for ago, more in ((3, {}), (1, {}))
    ]

    both = open_tables(logs=[*client, *server])
    assert [span["service"] for span in show_trace(both, TRACE, NOW)["spans"]] == ["web", "back"]
    assert list_running(both, WINDOW, NOW)["running"] == 2

    one = open_tables(logs=[*client, *server, {**server[1], "log.spanglass.span.ended:bool": True}])
    assert [span["service"] for span in list_running(one, WINDOW, NOW)["spans"]] == ["web"]


def test_a_span_that_ends_while_its_trace_is_read(tmp_path):
    """It has ended or is running in the answer, even if its end is stored between two looks: it is never left out."""
    bench = Bench(tmp_path / "data")
    waiting = [(ended(2, parent=1), announcement(2, ago=1, open_for=59, **{"log.spanglass.span.ended:bool": True}))]

    def settle(_stopped):
        while waiting:
            span, word = waiting.pop()
            bench.buffer(pa.Table.from_pylist([span]))
            bench.buffer(pa.Table.from_pylist([word]), Signal.LOGS)

    bench.buffer(pa.Table.from_pylist([ended(1)]))
    bench.buffer(pa.Table.from_pylist([announcement(2, ago=5, open_for=55)]), Signal.LOGS)
    limits = EngineLimits(memory_bytes=1 << 28, threads=1, max_concurrent=1)
    # nothing waits for this trace yet when it is asked for
    engine = Engine(bench.store.contents, bench.data_dir, limits, settle, may_wait=lambda _ids: False)
    answer = engine.run_here(lambda session: show_trace(session, TRACE, NOW))
    engine.close()
    bench.close()
    assert states(answer) == [("span 1", "ended"), ("span 2", "ended")]
