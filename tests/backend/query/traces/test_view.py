"""One trace as the API shows it."""

from __future__ import annotations

import pytest

from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.one_trace.view import show_trace

SECOND = 1_000_000_000
TRACE_ID = b"\x01" * 16
NOW_NS = 5_000_000


def span(number, parent=None, *, service="web", start=1000, duration=100, **more):
    """Make a stored span of the trace; times in nanoseconds."""
    return {
        "trace_id": TRACE_ID,
        "span_id": bytes([number]) * 8,
        "parent_span_id": bytes([parent]) * 8 if parent else None,
        "resource.service.name:str": service,
        "name": f"span {number}",
        "start_time_ns": start,
        "duration_ns": duration,
        **more,
    }


def test_trace(open_tables):
    """A trace has its spans depth first with their place in the tree, its services, and counts without resends."""
    session = open_tables(
        spans=[
            span(3, 2, service="db", start=1040, duration=10, status_code=2),
            span(1, start=1000, duration=100),
            span(2, 1, start=1020, duration=50),
            span(2, 1, start=1020, duration=50),
            {**span(9), "trace_id": b"\x02" * 16},
        ]
    )

    answer = show_trace(session, TRACE_ID, NOW_NS)

    tree = ("span_id", "depth", "offset_ns", "self_time_ns", "skew_ns", "orphan", "children")
    assert [tuple(found[name] for name in tree) for found in answer.pop("spans")] == [
        ("01" * 8, 0, 0, 50, 0, False, 1),
        ("02" * 8, 1, 20, 40, 0, False, 1),
        ("03" * 8, 2, 40, 10, 0, False, 0),
    ]
    assert answer == {
        "trace_id": "01" * 16,
        "start_time": "1970-01-01T00:00:00.000001000Z",
        "duration_ns": 100,
        "span_count": 3,
        "error_count": 1,
        "running_count": 0,
        "lost_count": 0,
        "duplicate_spans": 1,
        "services": [
            {"service": "web", "slot": 5, "spans": 2, "errors": 0, "self_time_ns": 90},
            {"service": "db", "slot": 3, "spans": 1, "errors": 1, "self_time_ns": 10},
        ],
        "warnings": [],
        "failure": {"key": "03" * 8, "service": "db", "name": "span 3", "reason": "", "peer": None},
    }


@pytest.mark.parametrize(("hosts", "skew"), [(("a", "b"), 510), (("a", "a"), 0), ((None, None), 510)])
def test_clocks_belong_to_hosts(open_tables, hosts, skew):
    """A request that is served before it was sent is moved, unless both come from one host and so from one clock."""
    session = open_tables(
        spans=[
            span(1, start=1001, duration=40, kind=3, **{"resource.host.name:str": hosts[0]}),
            span(2, 1, service="db", start=501, duration=20, kind=2, **{"resource.host.name:str": hosts[1]}),
        ]
    )

    assert [found["skew_ns"] for found in show_trace(session, TRACE_ID, NOW_NS)["spans"]] == [0, skew]


def test_consumers_run_later(open_tables):
    """A consumer that begins long after its parent has ended is right where it is."""
    session = open_tables(spans=[span(1), span(2, 1, service="mail", start=9_000, kind=5)])

    answer = show_trace(session, TRACE_ID, NOW_NS)

    assert (answer["warnings"], answer["duration_ns"]) == ([], 8_100)


def test_no_such_trace(open_tables):
    """A trace that is not stored is not found, and the error says what to try."""
    with pytest.raises(BadQuestionError, match="01010101") as caught:
        show_trace(open_tables(), TRACE_ID, NOW_NS)

    assert (caught.value.code, caught.value.field) == ("not_found", "trace_id")


def shared(kind, service, **more):
    """Make one half of a call, whose id and parent both halves have in common."""
    return span(2, 1, service=service, kind=kind, **more)


def test_both_halves_of_a_call(open_tables):
    """Spans that share an id are all shown, linked by keys that no two of them have; copies are counted."""
    session = open_tables(
        spans=[
            span(3, 2, service="back", start=1040, duration=10),
            shared(2, "back", start=1030, duration=40, status_code=2),
            span(1, start=1000, duration=100),
            shared(3, "web", start=1020, duration=60),
            shared(3, "web", start=1020, duration=60),
        ]
    )

    answer = show_trace(session, TRACE_ID, NOW_NS)

    assert [(one["key"], one["parent_key"], one["parent_span_id"], one["depth"]) for one in answer["spans"]] == [
        ("01" * 8, None, None, 0),
        ("02" * 8 + "-client", "01" * 8, "01" * 8, 1),
        ("02" * 8 + "-server", "02" * 8 + "-client", "01" * 8, 2),
        ("03" * 8, "02" * 8 + "-server", "02" * 8, 3),
    ]
    counts = ("span_count", "error_count", "duplicate_spans")
    assert [answer[name] for name in counts] == [4, 1, 1]
    assert [(one["service"], one["spans"], one["errors"]) for one in answer["services"]] == [
        ("web", 2, 0),
        ("back", 2, 1),
    ]


def test_keys_of_one_kind_have_numbers(open_tables):
    """Where spans of one kind share an id, their keys count them by start, whatever came first."""
    session = open_tables(spans=[shared(3, "web", start=start) for start in (1300, 1100, 1200)])

    answer = show_trace(session, TRACE_ID, NOW_NS)

    assert [(one["key"], one["start_time"][-6:]) for one in answer["spans"]] == [
        (f"{'02' * 8}-client-{number}", f"01{number}00Z") for number in (1, 2, 3)
    ]


@pytest.mark.parametrize("parent", [b"", b"\x00" * 8])
def test_zeros_are_no_parent(open_tables, parent):
    """A parent id of zeros, as older versions stored it, makes a root."""
    answer = show_trace(open_tables(spans=[{**span(1), "parent_span_id": parent}]), TRACE_ID, NOW_NS)

    assert (answer["spans"][0]["parent_span_id"], answer["spans"][0]["orphan"], answer["warnings"]) == (None, False, [])


def test_links_to_nothing_are_not_shown(open_tables):
    """A link whose ids are zeros leads nowhere."""
    linked = span(1, link_trace_id=[bytes(16), b"\x07" * 16], link_span_id=[bytes(8), b"\x08" * 8])

    found = show_trace(open_tables(spans=[linked]), TRACE_ID, NOW_NS)["spans"][0]["links"]
    assert [link["span_id"] for link in found] == ["08" * 8]
