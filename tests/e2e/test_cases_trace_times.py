"""When the spans of a trace ran, as senders have it: late work, clocks of milliseconds, starts that are unknown."""

from __future__ import annotations

import time

import pytest
from cases import Case

MS = 1_000_000
SECOND = 1_000_000_000


def trace_of(server, trace_id):
    """Ask for a trace."""
    answer = server.request("GET", f"/api/v1/traces/{trace_id}")
    assert answer.status == 200, answer
    return answer.json()


@pytest.fixture
def sent(cases_server):
    """Send a case; returns a function that asks for one of its traces."""

    def send(name):
        case = Case(name, time.time_ns())
        case.send(cases_server)
        return lambda number=1: trace_of(cases_server, case.trace_id(number))

    return send


def figures(trace, *names):
    """Return the named fields of all spans, by name of the span."""
    return {span["name"]: tuple(span[name] for name in names) for span in trace["spans"]}


def test_work_after_the_parent_ended_stays_where_it_was(sent):
    """Children that begin after their parent ended are late work, whatever their kind: not moved, no skew claimed."""
    trace = sent("04-late-child-moved")

    assert figures(trace(1), "offset_ns", "duration_ns", "skew_ns") == {
        "POST /report": (0, SECOND, 0),
        "build report": (600 * SECOND, 5 * SECOND, 0),
    }
    assert figures(trace(2), "offset_ns", "duration_ns", "skew_ns") == {
        "POST /hook": (0, SECOND, 0),
        "POST /callback": (10 * SECOND, SECOND, 0),
    }
    assert figures(trace(3), "offset_ns", "duration_ns", "skew_ns") == {
        "batch": (0, SECOND, 0),
        "cleanup": (4 * SECOND, SECOND, 0),
    }
    assert [trace(number)["warnings"] for number in (1, 2, 3)] == [[], [], []]
    assert [trace(number)["duration_ns"] for number in (1, 2, 3)] == [605 * SECOND, 11 * SECOND, 5 * SECOND]


def test_an_unknown_start_makes_no_trace_of_56_years(sent, cases_server):
    """A start of 0, and one that counts from the host's start, are said to be unknown; the trace lasts a second."""
    trace = sent("17-start-time-zero")

    assert [(trace(number)["duration_ns"], trace(number)["warnings"]) for number in (1, 2)] == [
        (SECOND, ["unknown_start"]),
        (SECOND, ["unknown_start"]),
    ]
    shown = ("offset_ns", "duration_ns", "start_unknown", "skew_ns")
    assert figures(trace(1), *shown) == {"root": (0, SECOND, False, 0), "no start": (0, SECOND // 2, True, 0)}
    assert figures(trace(2), *shown) == {"root": (0, SECOND, False, 0), "uptime clock": (0, 452_087_103, True, 0)}
    service = trace(1)["spans"][0]["service"]
    listed = cases_server.request("GET", f"/api/v1/traces?service={service}&last=1h").json()["traces"]
    assert [(one["duration_ns"], one["span_count"]) for one in listed] == [(SECOND, 2), (SECOND, 2)]
    page = cases_server.request("GET", f"/traces/{trace(1)['trace_id']}").body.decode()
    assert "Some spans have no usable start time; they stand where their parents begin." in page


def test_rounded_times_are_no_skew(cases_server):
    """A server that counts milliseconds seems to begin 12 µs before its client, of nanoseconds: that is rounding."""
    case = Case("sender-06-skew-of-rounded-times", time.time_ns())
    request = case.send(cases_server)
    trace_id = request["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["traceId"]

    trace = trace_of(cases_server, trace_id)

    assert trace["warnings"] == []
    assert [span["skew_ns"] for span in trace["spans"]] == [0] * len(trace["spans"])
    client, server = (next(s for s in trace["spans"] if s["name"] == name) for name in ("HTTP GET", "GET"))
    assert server["offset_ns"] - client["offset_ns"] == -12_136
    assert sum(took for span in trace["spans"] for _, took in span["critical"]) == trace["spans"][0]["duration_ns"]
