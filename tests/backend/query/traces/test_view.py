"""One trace as the API shows it."""

from __future__ import annotations

import pytest

from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.traces.view import show_trace

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
    }


@pytest.mark.parametrize(("hosts", "skew"), [(("a", "b"), 510), (("a", "a"), 0), ((None, None), 510)])
def test_clocks_belong_to_hosts(open_tables, hosts, skew):
    """A span that begins before its parent is moved, unless both come from one host and so from one clock."""
    session = open_tables(
        spans=[
            span(1, start=1000, duration=40, **{"resource.host.name:str": hosts[0]}),
            span(2, 1, service="db", start=500, duration=20, **{"resource.host.name:str": hosts[1]}),
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
