"""The list of traces and the page of one say the same of it, whatever its spans are."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from spanglass_server.query.matching import SpanQuestion
from spanglass_server.query.one_trace.view import show_trace
from spanglass_server.query.traces.search import Page, search_traces
from spanglass_server.store.ports import Window

SECOND = 1_000_000_000
NOW = 1_795_900_000 * SECOND
WINDOW = Window(NOW - 3_600 * SECOND, NOW)
TRACE = b"\x01" * 16
TODAY = 1_795_911_134 * SECOND
SPANS = st.fixed_dictionaries(
    {
        "trace_id": st.just(TRACE),
        "span_id": st.integers(1, 4).map(lambda number: bytes([number]) * 8),
        "parent_span_id": st.sampled_from([None, b"", bytes(8), b"\x01" * 8, b"\x02" * 8, b"\x09" * 8]),
        "kind": st.none() | st.integers(0, 5),
        "name": st.just("work"),
        "start_time_ns": st.just(0) | st.integers(0, 3).map(lambda hours: NOW - hours * 3_000 * SECOND - SECOND),
        "duration_ns": st.integers(0, 2) | st.just(5_000 * SECOND),
        "status_code": st.none() | st.integers(0, 2),
        "resource.service.name:str": st.sampled_from([None, "", " ", "unknown_service", "web", "db"]),
        "resource.host.name:str": st.sampled_from([None, "shop-1", "shop-2"]),
    }
)


def announced(number, *, service="web", status="unset", ago=20):
    """Make an announcement of an open span, received a second ago."""
    return {
        "time_ns": NOW - SECOND,
        "received_time_ns": NOW - SECOND,
        "event_name": "spanglass.span.running",
        "trace_id": TRACE,
        "span_id": bytes([number]) * 8,
        "resource.service.name:str": service,
        "log.spanglass.span.name:str": "waits",
        "log.spanglass.span.kind:str": "internal",
        "log.spanglass.span.status:str": status,
        "log.spanglass.span.start_unix_nano:int": NOW - ago * SECOND,
        "log.spanglass.span.repeat_nano:int": 10 * SECOND,
    }


def said(answer):
    """Return what both answers say of a trace."""
    names = ("start_time", "duration_ns", "span_count", "error_count", "running_count", "lost_count")
    services = sorted((one["service"], one["slot"], one["spans"], one["errors"]) for one in answer["services"])
    return {**{name: answer[name] for name in names}, "services": services}


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
    max_examples=50,
    phases=[Phase.explicit, Phase.generate],
)
@given(st.lists(SPANS, min_size=1, max_size=12), st.sampled_from(["time", "duration", "spans", "errors"]))
def test_list_and_page_agree(open_tables, spans, sort):
    """All is the same with shared ids, copies, spans far from the range, clocks that differ and starts of zero."""
    session = open_tables(spans=spans, logs=[announced(6), announced(7, status="error")])
    listed = search_traces(session, SpanQuestion(WINDOW), Page(sort=sort), NOW)["traces"]

    page = show_trace(session, TRACE, NOW)
    assert [said(trace) for trace in listed] in ([said(page)], [])
    assert bool(listed) == any(WINDOW.start_ns <= span["start_time_ns"] < WINDOW.end_ns for span in spans)


EVENTS = {"event_time_ns": [TODAY + 3, TODAY + 1], "event_name": ["retry", "retry"]}
CALLS = st.fixed_dictionaries(
    {
        "trace_id": st.just(TRACE),
        "span_id": st.integers(1, 6).map(lambda number: bytes([number]) * 8),
        "parent_span_id": st.none() | st.integers(1, 6).map(lambda number: bytes([number]) * 8),
        "kind": st.sampled_from([1, 2, 3, 5]),
        "name": st.just("call"),
        "start_time_ns": st.sampled_from([0, 7 * SECOND]) | st.integers(1, 9).map(lambda ms: TODAY + ms * 1_000_001),
        "duration_ns": st.integers(0, 4).map(lambda ms: ms * 1_000_000),
        "status_code": st.sampled_from([0, 2]),
        "resource.service.name:str": st.sampled_from(["web", "db"]),
        "resource.host.name:str": st.sampled_from([None, "", "shop-1", "shop-2"]),
    }
).map(lambda span: {**span, **(EVENTS if span["duration_ns"] > SECOND // 500 else {})})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(st.lists(CALLS, min_size=1, max_size=10))
def test_list_and_page_agree_where_clocks_do_not(open_tables, spans):
    """A trace begins and lasts alike in both, also where spans are moved or have no usable start."""
    session = open_tables(spans=spans)
    window = Window(TODAY, TODAY + SECOND)
    listed = search_traces(session, SpanQuestion(window), Page(), TODAY + SECOND)["traces"]

    assert [said(trace) for trace in listed] in ([said(show_trace(session, TRACE, TODAY + SECOND))], [])
    assert bool(listed) == any(span["start_time_ns"] >= TODAY for span in spans)


def span(trace, number, ago, **more):
    """Make a span of one of several traces that began so many seconds ago and took one."""
    return {
        "trace_id": bytes([trace]) * 16,
        "span_id": bytes([number]) * 8,
        "kind": 2,
        "name": "work",
        "start_time_ns": NOW - ago * SECOND,
        "duration_ns": SECOND,
        "resource.service.name:str": "web",
        **more,
    }


@pytest.mark.parametrize(
    ("sort", "field", "expected"),
    [
        ("duration", "duration_ns", [9_001, 301, 1]),
        ("errors", "error_count", [2, 1, 0]),
        ("spans", "span_count", [3, 2, 1]),
    ],
)
def test_lists_fall_in_what_they_are_sorted_by(open_tables, sort, field, expected):
    """A trace stands where all its spans put it, also those that ended hours before the range."""
    failed = {"status_code": 2, "parent_span_id": b"\x01" * 8}
    session = open_tables(
        spans=[
            span(1, 1, 400),
            span(2, 1, 400),
            span(2, 2, 100, **failed),
            *(
                span(3, number, ago, **more)
                for number, ago, more in ((1, 9_010, {}), (2, 9_000, failed), (3, 10, failed))
            ),
        ]
    )
    found = search_traces(session, SpanQuestion(WINDOW), Page(sort=sort), NOW)["traces"]

    unit = SECOND if field == "duration_ns" else 1
    assert [trace[field] // unit for trace in found] == expected


def test_failing_traces_have_errors(open_tables):
    """Every trace that is found by a failing span has an error, however long after its root that came."""
    session = open_tables(spans=[span(1, 1, 3_500), span(1, 2, 10, status_code=2, parent_span_id=b"\x01" * 8)])

    for sort in ("time", "errors"):
        found = search_traces(session, SpanQuestion(WINDOW, "status = error"), Page(sort=sort), NOW)["traces"]
        assert [(trace["span_count"], trace["error_count"], trace["matched_spans"]) for trace in found] == [(2, 1, 1)]
