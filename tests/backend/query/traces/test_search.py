"""Trace search and counts over time."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.matching import SpanQuestion
from spanglass_server.query.services.counts import count_spans
from spanglass_server.query.traces import search as traces
from spanglass_server.query.traces import whole_traces
from spanglass_server.query.traces.search import Page, search_traces
from spanglass_server.signals import Signal
from spanglass_server.store.ports import Part, Window

SECOND = 1_000_000_000
WINDOW = Window(1000 * SECOND, 2000 * SECOND)
NOW = 2000 * SECOND
EVERYTHING = SpanQuestion(WINDOW)


def span(trace, number, parent=None, *, service="web", start=1500, duration=100, name="GET /", **more):
    """Make a stored span; ids are small numbers, the start is in seconds."""
    return {
        "trace_id": bytes([trace]) * 16,
        "span_id": bytes([number]) * 8,
        "parent_span_id": bytes([parent]) * 8 if parent is not None else None,
        "resource.service.name:str": service,
        "name": name,
        "kind": 2,
        "start_time_ns": int(start * SECOND),
        "duration_ns": duration,
        **more,
    }


def ids(answer):
    """Show which traces are in an answer, as their small numbers."""
    return [int(trace["trace_id"][:2], 16) for trace in answer["traces"]]


def walk(session, question, **page):
    """Follow the cursors from the first page to the last."""
    pages, cursor = [], None
    while not pages or cursor is not None:
        answer = search_traces(session, question, Page(cursor=cursor, **page), NOW)
        pages.append(ids(answer))
        cursor = answer["next_cursor"]
    return pages


def test_summary(open_tables):
    """A summary tells root, extent, counts and services of the whole trace; a resent span counts once."""
    session = open_tables(
        spans=[
            span(1, 1, start=1500, duration=2 * SECOND),
            span(1, 2, 1, service="db", name="SELECT", start=1500.5, status_code=2),
            span(1, 2, 1, service="db", name="SELECT", start=1500.5, status_code=2),
            span(1, 3, 1, service="db", name="SELECT", start=1501, duration=3 * SECOND),
            span(2, 1, start=1600),
        ]
    )

    answer = search_traces(session, SpanQuestion(WINDOW, "status:error"), Page(), NOW)

    assert answer == {
        "traces": [
            {
                "trace_id": "01" * 16,
                "root_service": "web",
                "root_operation": "GET /",
                "root_missing": False,
                "start_time": "1970-01-01T00:25:00.000000000Z",
                "duration_ns": 4 * SECOND,
                "span_count": 3,
                "error_count": 1,
                "running_count": 0,
                "lost_count": 0,
                "matched_spans": 1,
                "services": [
                    {"service": "web", "slot": 5, "spans": 1, "errors": 0},
                    {"service": "db", "slot": 3, "spans": 2, "errors": 1},
                ],
            }
        ],
        "next_cursor": None,
    }


def test_missing_root_and_service(open_tables):
    """Without a root the first span stands in for it; a span without a service is of the unknown one."""
    session = open_tables(spans=[span(1, 2, 9, start=1501, name="b"), span(1, 1, 9, service=None, name="a")])

    found = search_traces(session, SpanQuestion(WINDOW, service="unknown_service"), Page(), NOW)["traces"][0]

    assert (found["root_missing"], found["root_service"], found["root_operation"]) == (True, "unknown_service", "a")


def test_shorthands(open_tables):
    """Service, operation and durations narrow the search like filter terms; durations are inclusive."""
    session = open_tables(
        spans=[
            span(1, 1, duration=99),
            span(2, 1, duration=100),
            span(3, 1, duration=200),
            span(4, 1, duration=201),
            span(5, 1, duration=150, service="db"),
            span(6, 1, duration=150, name="POST /"),
        ]
    )
    question = SpanQuestion(WINDOW, "kind:server", "web", "GET /", 100, 200)

    assert sorted(ids(search_traces(session, question, Page(), NOW))) == [2, 3]


def test_range_is_half_open(open_tables):
    """A span that starts at the end of the range is not in it, one that starts at its start is."""
    session = open_tables(spans=[span(1, 1, start=999.999), span(2, 1, start=1000), span(3, 1, start=2000)])

    assert ids(search_traces(session, EVERYTHING, Page(), NOW)) == [2]


def test_long_traces_are_summarised_whole(open_tables):
    """A trace of three hours is whole in its summary, though only its last span is in the range."""
    session = open_tables(
        spans=[span(1, 1, start=50_000, duration=10_800 * SECOND), span(1, 2, 1, start=60_000, duration=5)]
    )
    question = SpanQuestion(Window(59_000 * SECOND, 61_000 * SECOND))

    found = search_traces(session, question, Page(), NOW)["traces"][0]

    assert (found["span_count"], found["matched_spans"], found["root_missing"]) == (2, 1, False)


@pytest.mark.parametrize(("sort", "expected"), [("duration", [2, 1, 3]), ("spans", [1, 3, 2]), ("errors", [3, 1, 2])])
def test_sorted_by_figures(open_tables, sort, expected):
    """Traces can be sorted by a figure of the whole trace; equals go by id, resent spans count once."""
    session = open_tables(
        spans=[
            span(1, 1, duration=5 * SECOND),
            span(1, 2, 1, start=1501, status_code=2),
            span(1, 3, 1, start=1501),
            span(2, 1, duration=9 * SECOND),
            span(2, 1, duration=9 * SECOND),
            span(2, 1, duration=9 * SECOND),
            span(3, 1, status_code=2),
            span(3, 2, 1, status_code=2),
        ]
    )

    assert walk(session, EVERYTHING, sort=sort, limit=2) == [expected[:2], expected[2:]]
    assert walk(session, EVERYTHING, sort=sort, limit=2, descending=False) == [expected[:0:-1], expected[:1]]


@pytest.mark.parametrize("descending", [True, False])
@given(
    spans=st.lists(st.tuples(st.integers(1, 9), st.integers(0, 30)), max_size=40),
    limit=st.integers(1, 4),
    first_spans=st.sampled_from([1, 250_000]),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pages_by_time_hold_every_trace_once(open_tables, monkeypatch, descending, spans, limit, first_spans):
    """However spans of traces interleave: the pages are all traces in the order of their first matching spans.

    And however small the part is that is looked at first.
    """
    monkeypatch.setattr(traces, "_SPANS_A_TRACE", 1)
    monkeypatch.setattr(traces, "_GROWTH", 2)
    monkeypatch.setattr(traces, "_FIRST_SPANS", first_spans)
    session = open_tables(spans=[span(trace, 1 + i, start=1000 + 33 * at) for i, (trace, at) in enumerate(spans)])
    first = {trace: min(start for other, start in spans if other == trace) for trace, _ in spans}
    expected = [trace for _, trace in sorted(((start, trace) for trace, start in first.items()), reverse=descending)]

    pages = walk(session, EVERYTHING, limit=limit, descending=descending)

    assert [trace for page in pages for trace in page] == expected
    assert all(len(page) == limit for page in pages[:-1])


@pytest.mark.parametrize(("descending", "at_ns"), [(True, WINDOW.start_ns), (False, WINDOW.end_ns - 1)])
def test_pages_end_at_the_edge_of_the_range(open_tables, descending, at_ns):
    """Traces that all begin at the edge where the pages end are on a page each, as in a range that holds no more."""
    session = open_tables(spans=[span(trace, trace, start_time_ns=at_ns) for trace in (1, 2, 3)])
    expected = [[3], [2], [1]] if descending else [[1], [2], [3]]
    for window in (WINDOW, Window(at_ns, at_ns + 1)):
        assert walk(session, SpanQuestion(window), limit=1, descending=descending) == expected


def test_new_traces_do_not_shift_pages(open_tables):
    """What arrives between two pages does not move the second one."""
    before = [span(trace, 1, start=1400 + trace) for trace in range(1, 6)]
    cursor = search_traces(open_tables(spans=before), EVERYTHING, Page(limit=2), NOW)["next_cursor"]
    session = open_tables(spans=[*before, span(9, 1, start=1900)])

    assert ids(search_traces(session, EVERYTHING, Page(limit=2, cursor=cursor), NOW)) == [3, 2]


@pytest.mark.parametrize("cursor", ["x", "bnVsbA", "WzEsMiwzXQ"])
def test_broken_cursor(open_tables, cursor):
    """A cursor that is none is refused by name."""
    with pytest.raises(BadQuestionError, match="not a cursor") as caught:
        search_traces(open_tables(), EVERYTHING, Page(cursor=cursor), NOW)

    assert caught.value.field == "cursor"


def test_cursor_of_another_sorting(open_tables):
    """A cursor does not silently continue another order."""
    session = open_tables(spans=[span(1, 1), span(2, 1)])
    cursor = search_traces(session, EVERYTHING, Page(limit=1), NOW)["next_cursor"]

    with pytest.raises(BadQuestionError, match="sorted by time desc"):
        search_traces(session, EVERYTHING, Page(limit=1, cursor=cursor, sort="spans"), NOW)


def test_counts(open_tables):
    """Counts over time have a point for every bucket, and totals."""
    session = open_tables(spans=[span(1, 1, start=1000), span(1, 2, start=1250, status_code=2), span(2, 1, start=1260)])

    assert count_spans(session, EVERYTHING, 5) == {
        "window": {"start_time": "1970-01-01T00:16:40.000000000Z", "end_time": "1970-01-01T00:33:20.000000000Z"},
        "step_s": 300,
        "points": [
            {"t": 900, "spans": 1, "errors": 0},
            {"t": 1200, "spans": 2, "errors": 1},
            {"t": 1500, "spans": 0, "errors": 0},
            {"t": 1800, "spans": 0, "errors": 0},
        ],
        "total": 3,
        "errors": 1,
        "sampled_share": None,
    }


def test_nothing_stored(open_tables):
    """An empty store has an empty answer."""
    assert search_traces(open_tables(), EVERYTHING, Page(), NOW) == {"traces": [], "next_cursor": None}


def at(trace, first, end):
    """A range of seconds in which a trace has spans."""
    return bytes([trace]) * 16, Window(first * SECOND, end * SECOND)


def held(rows, first, end):
    """A segment whose rows lie evenly between two seconds."""
    return Part(("segment", first), Signal.SPANS, rows, first * SECOND, end * SECOND - 1, frozenset())


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([], [(0, 3000, {1, 2, 3})]),  # nothing known to lie between
        ([held(900_000, 0, 3000)], [(0, 60, {1}), (1000, 1120, {1, 2}), (2900, 3000, {3})]),
        ([held(300_000, 0, 1000), held(10_000, 1000, 3000)], [(0, 60, {1}), (1000, 3000, {1, 2, 3})]),
        ([held(15_000, second, second + 100) for second in range(0, 3000, 100)], None),
    ],
)
def test_ranges_of_traces_are_read_apart_when_much_lies_between(parts, expected):
    """Ranges are joined over few rows, parted over many, whatever segments these are in; none is lost."""
    windows = [at(1, 0, 60), at(1, 1000, 1060), at(2, 1060, 1120), at(3, 2900, 3000)]
    joined = [
        (window.start_ns // SECOND, window.end_ns // SECOND, {trace_id[0] for trace_id in ids})
        for window, ids in whole_traces._joined(windows, parts)
    ]

    assert joined == (expected or [(0, 1120, {1, 2}), (2900, 3000, {3})])


def test_at_most_eight_parts_are_read():
    """Of many ranges that lie apart those with the fewest rows between are joined."""
    windows = [at(number, 100 * number + number**2, 100 * number + number**2 + 1) for number in range(12)]
    joined = whole_traces._joined(windows, [held(10**9, 0, 2000)])

    assert [len(ids) for _, ids in joined] == [5, *[1] * 7]
