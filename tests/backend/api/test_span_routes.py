"""The routes about spans, traces and services, over a real socket: every answer is what its description says."""

from __future__ import annotations

import httpx
import jsonschema
import pytest
from described_answers import described_by

from spanglass_server.api.factory import ROUTES

SECOND = 1_000_000_000
TRACE = "01" * 16
SPAN = "02" * 8


def span(trace, number, parent=None, **more):
    """Make a stored span a few minutes before the clock of the tests."""
    return {
        "trace_id": bytes([trace]) * 16,
        "span_id": bytes([number]) * 8,
        "parent_span_id": bytes([parent]) * 8 if parent else None,
        "resource.service.name:str": "web/shop",
        "name": "GET /",
        "kind": 2,
        "start_time_ns": (1900 + number) * SECOND,
        "duration_ns": 100,
        **more,
    }


SPANS = [
    span(
        1, 1, event_time_ns=[1901 * SECOND], event_name=["hi"], link_trace_id=[b"\x02" * 16], link_span_id=[b"\x02" * 8]
    ),
    span(1, 2, 1, status_code=2, **{"span.error.type:str": "Timeout"}),
    span(2, 3),
]


@pytest.mark.parametrize(
    "url",
    [
        "/services",
        "/services?buckets=0",
        "/services/web%2Fshop/operations?last=10m",
        "/services/web%2Fshop/series?operation=GET%20/",
        "/traces?limit=1",
        "/traces?sort=errors&order=asc&filter=status:error",
        "/traces/counts?buckets=3",
        f"/traces/{TRACE}",
        f"/traces/{TRACE}?format=columns",
        f"/traces/{TRACE}?format=summary",
        f"/traces/{TRACE}?format=otlp",
        f"/traces/{TRACE}/spans/{SPAN}",
        "/spans?sort=duration&min_duration=1ns",
        "/spans/groups?by=service.name,error.type",
        "/services/web%2Fshop/typical?operation=GET%20/",
        "/spans/heatmap?service=web/shop&buckets=5",
        "/self-time?service=web/shop&filter=duration%20%3E%201ns",
        "/profiles?service=web/shop&measure=cpu",
        "/differences?selected=status:error&baseline=status:unset",
        "/differences?selected_min=5ns&selected_max=1s&selected_start=now-1h&selected_end=now&last=10m",
    ],
)
def test_answers_are_as_described(api, url):
    """A real answer is not empty; that it is what the OpenAPI document says, ``api`` checks of every answer."""
    answer = api(spans=SPANS).get(f"/api/v1{url}")

    assert answer.status_code == 200, answer.text
    assert any(value for value in answer.json().values() if isinstance(value, list | dict))


def test_the_check_finds_problems():
    """The check of all answers in these tests fails for a member too many and one of another type."""
    check = described_by([route for route in ROUTES if route.path == "/running"])
    asked = httpx.Request("GET", "http://localhost/api/v1/running")

    check(httpx.Response(200, json={"running": 0, "lost": 0, "spans": []}, request=asked))
    for wrong in ({"running": 0, "lost": 0, "spans": [], "b": 1}, {"running": "0", "lost": 0, "spans": []}):
        with pytest.raises(jsonschema.ValidationError):
            check(httpx.Response(200, json=wrong, request=asked))


def test_cursor_over_http(api):
    """A page's next_cursor, passed back, gives the next page; the last has none."""
    client = api(spans=SPANS)

    first = client.get("/api/v1/traces", params={"limit": 1}).json()
    second = client.get("/api/v1/traces", params={"limit": 1, "cursor": first["next_cursor"]}).json()

    assert [trace["trace_id"][:2] for trace in (*first["traces"], *second["traces"])] == ["02", "01"]
    assert second["next_cursor"] is None


def test_errors_of_questions(api):
    """A filter that can't be read, a trace that is not there and a cursor that is none each say so in the one shape."""
    client = api(spans=SPANS)

    bad_filter = client.get("/api/v1/traces", params={"filter": "status ="}).json()["error"]
    missing = client.get(f"/api/v1/traces/{'ff' * 16}")
    bad_cursor = client.get("/api/v1/spans", params={"cursor": "nonsense"}).json()["error"]

    assert (bad_filter["code"], bad_filter["field"], bad_filter["column"]) == ("bad_filter", "filter", 9)
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "not_found")
    assert (bad_cursor["code"], bad_cursor["field"]) == ("bad_request", "cursor")
