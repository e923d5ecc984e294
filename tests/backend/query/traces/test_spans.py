"""Span search and groups of spans."""

from __future__ import annotations

import pytest

from spanglass_server.query.cursors import Cursor
from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.matching import SpanQuestion
from spanglass_server.query.traces.search import Page
from spanglass_server.query.traces.spans import group_spans, search_spans
from spanglass_server.store.ports import Window

SECOND = 1_000_000_000
EVERYTHING = SpanQuestion(Window(0, 100 * SECOND))


def span(number, *, start=10, duration=100, service="web", **more):
    """Make a stored span of a trace of its own."""
    return {
        "trace_id": bytes([number]) * 16,
        "span_id": bytes([number]) * 8,
        "resource.service.name:str": service,
        "name": "GET /",
        "start_time_ns": start * SECOND,
        "duration_ns": duration,
        **more,
    }


def walk(session, question, **page):
    """Follow the cursors from the first page to the last."""
    pages, cursor = [], None
    while not pages or cursor is not None:
        answer = search_spans(session, question, Page(cursor=cursor, **page))
        pages.append([int(found["span_id"][:2]) for found in answer["spans"]])
        cursor = answer["next_cursor"]
    return pages


def test_pages_of_a_filter_with_or(open_tables):
    """Each page goes on where the one before ended, also where spans match one condition or another."""
    session = open_tables(spans=[span(number, start=number, name="ab"[number % 2]) for number in range(1, 6)])
    question = SpanQuestion(EVERYTHING.window, "name = a or name = b")
    first = search_spans(session, question, Page(2))
    second = search_spans(session, question, Page(2, cursor=first["next_cursor"]))
    assert [int(found["span_id"][:2]) for page in (first, second) for found in page["spans"]] == [5, 4, 3, 2]


def test_a_whole_span(open_tables):
    """A span is shown with all that was sent: attributes of every position, events, links, dropped counts."""
    stored = span(
        1,
        start=11,
        parent_span_id=b"\x09" * 8,
        kind=2,
        status_code=2,
        status_message="no",
        trace_state="a=b",
        flags=257,
        dropped_attributes_count=3,
        scope_name="lib",
        event_time_ns=[11 * SECOND + 5, 11 * SECOND + 7],
        event_name=["exception", "retry"],
        link_trace_id=[b"\x07" * 16],
        link_span_id=[b"\x08" * 8],
        overflow_name=["span.rare:int", "event.rare:str"],
        overflow_value=["42", "yes"],
        overflow_index=[None, 1],
        **{
            "span.http.route:str": "/",
            "span.big:int": 2**60,
            "span.list:json": '[1,{"a":2.5}]',
            "event.exception.type:str": ["KeyError", None],
            "link.why:str": ["retry of"],
            "scope.level:int": 1,
        },
    )

    assert search_spans(open_tables(spans=[stored]), EVERYTHING, Page()) == {
        "spans": [
            {
                "trace_id": "01" * 16,
                "span_id": "01" * 8,
                "parent_span_id": "09" * 8,
                "service": "web",
                "slot": 5,
                "name": "GET /",
                "kind": "server",
                "start_time": "1970-01-01T00:00:11.000000000Z",
                "start_unknown": False,
                "duration_ns": 100,
                "status": "error",
                "status_message": "no",
                "reason": "KeyError",
                "attributes": {"big": str(2**60), "http.route": "/", "list": [1, {"a": 2.5}], "rare": 42},
                "resource": {"service.name": "web"},
                "scope": {"name": "lib", "version": "", "attributes": {"level": 1}},
                "events": [
                    {
                        "time": "1970-01-01T00:00:11.000000005Z",
                        "offset_ns": 5,
                        "name": "exception",
                        "attributes": {"exception.type": "KeyError"},
                    },
                    {
                        "time": "1970-01-01T00:00:11.000000007Z",
                        "offset_ns": 7,
                        "name": "retry",
                        "attributes": {"rare": "yes"},
                    },
                ],
                "links": [{"trace_id": "07" * 16, "span_id": "08" * 8, "attributes": {"why": "retry of"}}],
                "trace_state": "a=b",
                "flags": 257,
                "dropped": {"attributes": 3, "events": 0, "links": 0},
            }
        ],
        "next_cursor": None,
    }


@pytest.mark.parametrize(
    ("sort", "descending", "expected"),
    [
        ("time", True, [[4, 3], [2, 1], [5]]),
        ("time", False, [[5, 1], [2, 3], [4]]),
        ("duration", True, [[5, 4], [3, 1], [2]]),
        ("duration", False, [[2, 1], [3, 4], [5]]),
    ],
)
def test_pages(open_tables, sort, descending, expected):
    """Pages hold every span once, in order; equals go by id."""
    session = open_tables(
        spans=[span(1), span(2, duration=50), span(3), span(4, start=12, duration=200), span(5, start=9, duration=300)]
    )

    assert walk(session, EVERYTHING, sort=sort, descending=descending, limit=2) == expected


def test_a_span_sent_twice_is_shown_once(open_tables):
    """Copies of a span are one result."""
    assert walk(open_tables(spans=[span(1), span(1), span(2)]), EVERYTHING, limit=10) == [[2, 1]]


def test_filter(open_tables):
    """Only matching spans are found."""
    session = open_tables(spans=[span(1), span(2, **{"span.a:int": 5}), span(3, **{"span.a:int": 6})])

    assert walk(session, SpanQuestion(EVERYTHING.window, "a > 5"), limit=10) == [[3]]


def test_groups(open_tables):
    """Groups are counted and measured, the largest first; spans without a key have null there."""
    session = open_tables(
        spans=[
            span(1, start=10, status_code=2, **{"span.error.type:str": "Timeout"}),
            span(2, start=12, duration=300, status_code=2, **{"span.error.type:str": "Timeout"}),
            span(3, service="db"),
        ]
    )

    assert group_spans(session, EVERYTHING, ["service.name", "error.type"], 10) == {
        "groups": [
            {
                "by": {"service.name": "web", "error.type": "Timeout"},
                "spans": 2,
                "errors": 2,
                "p50_ns": 200,
                "p95_ns": 290,
                "p99_ns": 298,
                "sampled_share": None,
                "last_time": "1970-01-01T00:00:12.000000000Z",
            },
            {
                "by": {"service.name": "db", "error.type": None},
                "spans": 1,
                "errors": 0,
                "p50_ns": 100,
                "p95_ns": 100,
                "p99_ns": 100,
                "sampled_share": None,
                "last_time": "1970-01-01T00:00:10.000000000Z",
            },
        ]
    }


def test_groups_are_limited(open_tables):
    """At most so many groups come back, and equals in the order of their keys."""
    session = open_tables(spans=[span(1, service="b"), span(2, service="a"), span(3, service="c")])

    answer = group_spans(session, EVERYTHING, ["service.name"], 2)

    assert [group["by"] for group in answer["groups"]] == [{"service.name": "a"}, {"service.name": "b"}]


@pytest.mark.parametrize("keys", [[], ["a b"], ["="]])
def test_bad_keys(open_tables, keys):
    """Groups need keys, and keys that can be read; the error is one of ``by``."""
    with pytest.raises(BadQuestionError) as caught:
        group_spans(open_tables(), EVERYTHING, keys, 10)

    assert caught.value.field == "by"


def half(kind, service, **more):
    """Make one of several spans that share the id, the start and the duration."""
    return span(1, kind=kind, service=service, **more)


HALVES = [half(3, "web"), half(2, "pay", status_code=2), half(3, "cart"), half(2, "pay", status_code=2)]


def named(answer):
    """Return kind and service of each span of an answer."""
    return [(found["kind"], found["service"]) for found in answer["spans"]]


@pytest.mark.parametrize("filter_text", ["kind = server", "status = error", "service:pay"])
def test_a_filter_finds_the_half_that_matches(open_tables, filter_text):
    """Of spans that share an id only those are found that match."""
    question = SpanQuestion(EVERYTHING.window, filter=filter_text)

    assert named(search_spans(open_tables(spans=HALVES), question, Page())) == [("server", "pay")]


@pytest.mark.parametrize("sort", ["time", "duration"])
@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("limit", [1, 2, 3])
def test_pages_of_spans_that_share_an_id(open_tables, sort, descending, limit):
    """However long the pages, each half is on one of them, and a copy on none."""
    session, pages, cursor = open_tables(spans=HALVES), [], None
    while not pages or cursor is not None:
        answer = search_spans(session, EVERYTHING, Page(limit, sort, descending, cursor))
        pages += named(answer)
        cursor = answer["next_cursor"]

    expected = [("server", "pay"), ("client", "cart"), ("client", "web")]
    assert pages == (expected[::-1] if descending else expected)


def test_otlp_has_the_halves_that_match(open_tables):
    """As OTLP the spans that match are there as often as they are stored, and no others of their id."""
    question = SpanQuestion(EVERYTHING.window, filter="kind = server")

    found = search_spans(open_tables(spans=HALVES), question, Page(), as_otlp=True)["resourceSpans"]
    assert [one["kind"] for group in found for scope in group["scopeSpans"] for one in scope["spans"]] == [2, 2]


def test_a_cursor_of_other_pages_is_refused(open_tables):
    """A cursor that has no span's place in it is an error of the parameter."""
    cursor = Cursor(5, b"short").encode("time desc")
    with pytest.raises(BadQuestionError) as caught:
        search_spans(open_tables(), EVERYTHING, Page(cursor=cursor))

    assert caught.value.field == "cursor"
