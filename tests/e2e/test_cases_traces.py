"""What must be seen of traces that real senders produce: every span, found and counted alike wherever one asks."""

from __future__ import annotations

import time

import pytest
from cases import Case


@pytest.fixture
def sent(cases_server):
    """Send a case and return it: ``sent("01-shared-span-id")``."""

    def send(name: str) -> Case:
        case = Case(name, time.time_ns())
        case.send(cases_server)
        return case

    return send


def test_both_halves_of_a_call(cases_server, sent):
    """Client and server half of one span id are two spans in the trace and in every search."""
    case = sent("01-shared-span-id")
    front, back = f"front-{case.run}", f"back-{case.run}"

    trace = cases_server.get(f"/traces/{case.trace_id()}")
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
        found = cases_server.get("/spans", filter=of_trace + filter_text)
        assert [span["name"] for span in found["spans"]] == names


def _listed(server, service, **question):
    """List the traces of a service."""
    return server.get("/traces", service=service, **question)["traces"]


def test_work_that_goes_on_after_the_root(server):
    """List and page say the same of a trace whose last span began long after its root, in memory and in files."""
    case = Case("03-late-span-summary", time.time_ns())
    case.send(server)
    _says_the_same(server, case)
    server.stop()
    server.start()
    _says_the_same(server, case)


def _says_the_same(server, case):
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


def test_both_halves_of_a_call_in_lists(cases_server, sent):
    """The list counts both halves, their errors and services, whichever of them was asked for."""
    case = sent("01-shared-span-id")
    front, back = f"front-{case.run}", f"back-{case.run}"

    for service in (front, back):
        for sort in ("time", "spans", "errors", "duration"):
            [trace] = _listed(cases_server, service, sort=sort)
            assert (trace["span_count"], trace["error_count"], trace["root_service"]) == (4, 1, front)
            assert [(one["service"], one["spans"], one["errors"]) for one in trace["services"]] == [
                (front, 2, 0),
                (back, 2, 1),
            ]


def test_zeros_are_no_parent(cases_server, sent):
    """A span whose parent id is zeros is a root wherever one asks: trace, list, filter, SQL's view and its service."""
    case = sent("02-zero-parent-id")
    service = f"zero-{case.run}"

    page = cases_server.get(f"/traces/{case.trace_id()}")
    assert [(span["name"], span["parent_span_id"], span["orphan"]) for span in page["spans"]] == [
        ("nightly job", None, False),
        ("step", "00000000000000b1", False),
    ]
    assert page["warnings"] == []
    assert [one["root_missing"] for one in _listed(cases_server, service)] == [False]
    assert [one["root_operation"] for one in _listed(cases_server, service, filter="root:true")] == ["nightly job"]
    services = {one["service"]: one["requests"] for one in cases_server.get("/services")["services"]}
    assert services[service] == 1
    stored = cases_server.get(f"/traces/{case.trace_id()}", format="otlp")["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert [span.get("parentSpanId") for span in stored] == [None, "00000000000000b1"]


def test_one_name_for_services_without_one(server):
    """A service whose name is absent or empty is one service, which is listed, found, counted and has a page."""
    case = Case("16-unnamed-service", time.time_ns())
    case.send(server)

    [listed] = server.get("/services")["services"]
    assert (listed["service"], listed["spans"], listed["requests"]) == ("unknown_service", 3, 3)
    for question in (
        {"filter": "service:unknown_service"},
        {"filter": 'service.name = "unknown_service"'},
        {"filter": "resource.service.name = unknown_service"},
        {"filter": "service.name ~ '^unknown_'"},
        {"filter": "service:unknown*"},
        {"filter": "service != web"},
        {"service": "unknown_service"},
    ):
        assert len(server.get("/spans", **question)["spans"]) == 3, question
        assert {one["root_service"] for one in server.get("/traces", **question)["traces"]} == {"unknown_service"}
    assert server.get("/spans", filter="service:web")["spans"] == []
    [facet] = server.get("/facets", keys="service.name")["facets"]
    assert (facet["missing"], [(one["value"], one["count"]) for one in facet["values"]]) == (
        0,
        [("unknown_service", 3)],
    )
    values = server.get("/values", signal="spans", key="service.name")["values"]
    assert [(one["value"], one["count"]) for one in values] == [("unknown_service", 3)]
    [group] = server.get("/spans/groups", by="service.name")["groups"]
    assert (group["by"], group["spans"]) == ({"service.name": "unknown_service"}, 3)
    operations = server.get("/services/unknown_service/operations")["operations"]
    assert sorted(one["operation"] for one in operations) == ["empty name", "no name", "no resource"]
    page = server.request("GET", "/services/unknown_service")
    assert (page.status, b"empty name" in page.body) == (200, True)


@pytest.mark.parametrize("change", [str, str.upper])
def test_a_short_trace_id_finds_the_padded_one(cases_server, sent, change):
    """Sixteen digits of a 64-bit trace id are enough in the API, in filters, on the page and in the search box."""
    case = sent("18-short-trace-id")
    short, padded = change(case.run * 2), "0" * 16 + case.run * 2

    assert cases_server.get(f"/traces/{short}")["trace_id"] == padded
    for filter_text in (f'trace_id = "{short}"', f"trace.id:{short}", f"trace in ({short}, {'1' * 32})"):
        assert [span["trace_id"] for span in cases_server.get("/spans", filter=filter_text)["spans"]] == [padded]
    assert cases_server.get("/logs", filter=f"trace_id = {short}")["logs"] == []
    assert cases_server.request("GET", f"/traces/{short}").status == 200
    jump = cases_server.request("GET", f"/jump?q={short}")
    assert (jump.status // 100, jump.headers["Location"]) == (3, f"/traces/{padded}")
    other = cases_server.request("GET", "/jump?q=00000000000000a1")
    assert "/traces?" in other.headers["Location"]
