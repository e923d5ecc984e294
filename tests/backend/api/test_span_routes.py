"""The routes about spans, traces and services, over a real socket: every answer is what its description says."""

from __future__ import annotations

import re

import pytest

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


def problems(value, schema, path="$"):
    """List where a value is not what a JSON schema says, in the words that this API uses."""
    if "oneOf" in schema:
        return min((problems(value, choice, path) for choice in schema["oneOf"]), key=len)
    kinds = {
        "string": str,
        "integer": int,
        "number": (int, float),
        "boolean": bool,
        "object": dict,
        "array": list,
        "null": type(None),
    }
    wanted = schema.get("type", [])
    wanted = [wanted] if isinstance(wanted, str) else wanted
    if wanted and not any(isinstance(value, kinds[kind]) for kind in wanted):
        return [f"{path} is {value!r}, not {wanted}"]
    found = []
    if value is not None and "enum" in schema and value not in schema["enum"]:
        found.append(f"{path} is {value!r}, not one of {schema['enum']}")
    if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        found.append(f"{path} is {value!r}, not like {schema['pattern']}")
    if isinstance(value, list):
        found += [
            line for i, item in enumerate(value) for line in problems(item, schema.get("items", {}), f"{path}[{i}]")
        ]
    if isinstance(value, dict):
        known = schema.get("properties", {})
        found += [f"{path}.{name} is missing" for name in schema.get("required", ()) if name not in value]
        if schema.get("additionalProperties") is False:
            found += [f"{path}.{name} is not described" for name in value if name not in known]
        found += [
            line for name in value if name in known for line in problems(value[name], known[name], f"{path}.{name}")
        ]
    return found


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("/services", "/services"),
        ("/services", "/services?buckets=0"),
        ("/services/{service:path}/operations", "/services/web%2Fshop/operations?last=10m"),
        ("/services/{service:path}/series", "/services/web%2Fshop/series?operation=GET%20/"),
        ("/traces", "/traces?limit=1"),
        ("/traces", "/traces?sort=errors&order=asc&filter=status:error"),
        ("/traces/counts", "/traces/counts?buckets=3"),
        ("/traces/{trace_id}", f"/traces/{TRACE}"),
        ("/traces/{trace_id}", f"/traces/{TRACE}?format=columns"),
        ("/traces/{trace_id}", f"/traces/{TRACE}?format=summary"),
        ("/traces/{trace_id}", f"/traces/{TRACE}?format=otlp"),
        ("/traces/{trace_id}/spans/{key}", f"/traces/{TRACE}/spans/{SPAN}"),
        ("/spans", "/spans?sort=duration&min_duration=1ns"),
        ("/spans/groups", "/spans/groups?by=service.name,error.type"),
    ],
)
def test_answers_are_as_described(api, path, url):
    """Names, types and nulls of a real answer are those of the OpenAPI document, and the answer is not empty."""
    schema = next(route.response for route in ROUTES if route.path == path)

    answer = api(spans=SPANS).get(f"/api/v1{url}")

    assert answer.status_code == 200, answer.text
    assert problems(answer.json(), schema) == []
    assert any(value for value in answer.json().values() if isinstance(value, list | dict))


def test_the_checker_finds_problems():
    """The checker of this test can fail."""
    schema = {
        "type": "object",
        "properties": {"a": {"type": "integer"}},
        "required": ["a"],
        "additionalProperties": False,
    }

    assert problems({"b": 1}, schema) == ["$.a is missing", "$.b is not described"]
    assert problems({"a": "x"}, schema) == ["$.a is 'x', not ['integer']"]


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
