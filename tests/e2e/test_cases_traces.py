"""What must be seen of traces that real senders produce: every span, found and counted alike wherever one asks."""

from __future__ import annotations

import time

import pytest
from cases import Case


@pytest.fixture
def sent(shared_server):
    """Send a case and return it: ``sent("01-shared-span-id")``."""

    def send(name: str) -> Case:
        case = Case(name, time.time_ns())
        case.send(shared_server)
        return case

    return send


def test_both_halves_of_a_call(shared_server, sent):
    """Client and server half of one span id are two spans in the trace and in every search."""
    case = sent("01-shared-span-id")
    front, back = f"front-{case.run}", f"back-{case.run}"

    trace = shared_server.get(f"/traces/{case.trace_id()}")
    assert [(span["name"], span["depth"], span["parent_key"]) for span in trace["spans"]] == [
        ("GET /cart", 0, None),
        ("call back", 1, "00000000000000a1"),
        ("serve cart", 2, "00000000000000a2-client"),
        ("SELECT", 3, "00000000000000a2-server"),
    ]
    assert (trace["span_count"], trace["error_count"], trace["warnings"]) == (4, 1, [])
    assert [(one["service"], one["spans"], one["errors"]) for one in trace["services"]] == [(front, 2, 0), (back, 2, 1)]

    of_trace = f'trace_id = "{case.trace_id()}" and '
    for filter_text, names in {
        "kind:client": ["SELECT", "call back"],
        "kind:server": ["serve cart", "GET /cart"],
        "status:error": ["serve cart"],
        "side = s": ["serve cart"],
    }.items():
        found = shared_server.get("/spans", filter=of_trace + filter_text)
        assert [span["name"] for span in found["spans"]] == names


def _listed(server, service, **question):
    """List the traces of a service."""
    return server.get("/traces", service=service, **question)["traces"]


@pytest.mark.parametrize("is_flushed", [False, True])
def test_work_that_goes_on_after_the_root(server, is_flushed):
    """List and page say the same of a trace whose last span began long after its root, in memory and in files."""
    case = Case("03-late-span-summary", time.time_ns())
    case.send(server)
    if is_flushed:
        server.stop()
        server.start()

    page = server.get(f"/traces/{case.trace_id()}")
    assert (page["span_count"], page["error_count"], page["duration_ns"]) == (2, 1, 605_000_000_000)
    for question in ({"filter": "status = error"}, {"sort": "errors"}, {"sort": "duration"}, {"sort": "spans"}, {}):
        listed = _listed(server, f"job-{case.run}", **question)
        assert [(one["span_count"], one["error_count"], one["duration_ns"]) for one in listed] == [
            (2, 1, 605_000_000_000)
        ]
        assert [(one["service"], one["spans"], one["errors"]) for one in listed[0]["services"]] == [
            (one["service"], one["spans"], one["errors"]) for one in page["services"]
        ]
    durations = [one["duration_ns"] for one in _listed(server, f"api-{case.run}", sort="duration")]
    assert durations == [605_000_000_000, 20_000_000_000]


def test_both_halves_of_a_call_in_lists(shared_server, sent):
    """The list counts both halves, their errors and services, whichever of them was asked for."""
    case = sent("01-shared-span-id")
    front, back = f"front-{case.run}", f"back-{case.run}"

    for service in (front, back):
        for sort in ("time", "spans", "errors", "duration"):
            [trace] = _listed(shared_server, service, sort=sort)
            assert (trace["span_count"], trace["error_count"], trace["root_service"]) == (4, 1, front)
            assert [(one["service"], one["spans"], one["errors"]) for one in trace["services"]] == [
                (front, 2, 0),
                (back, 2, 1),
            ]
