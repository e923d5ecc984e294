"""The routes about issues, over a real socket: every answer is what its description says."""

from __future__ import annotations

import pytest

from spanglass_server.issues.model import Sighting

SECOND = 1_000_000_000
NOW_NS = 2_000 * SECOND


def row(key, second, **fields):
    """Make a stored occurrence of the last hour."""
    return {
        "time_ns": second * SECOND,
        "issue_key": key,
        "service_name": "shop",
        "type": "ValueError",
        "message": f"no {key}",
        "culprit": f"shop.f{key}",
        "source": 0,
        "record_time_ns": second * SECOND,
        **fields,
    }


@pytest.fixture
def issues(api, issue_store):
    """Serve the API with two issues, SHOP-1 and SHOP-2."""
    rows = [
        row(1, 1900, release="1.0", user="ann", trace_id=b"\1" * 16, span_id=b"\1" * 8, event_index=0),
        row(1, 1950, release="1.1", user="bob", source=1, record_order=7),
        row(2, 1960),
    ]
    issue_store.observe([sighting(each) for each in rows], NOW_NS)
    spans = [
        {
            "trace_id": b"\1" * 16,
            "span_id": b"\1" * 8,
            "name": "GET /buy",
            "kind": 2,
            "start_time_ns": 1900 * SECOND,
            "duration_ns": 5,
            "resource.service.name:str": "shop",
            "resource.service.version:str": "1.0",
            "span.http.route:str": "/buy",
            "event_time_ns": [1900 * SECOND],
            "event_name": ["exception"],
            "event.exception.type:str": ["ValueError"],
            "event.exception.stacktrace:str": ["a stack"],
        }
    ]
    logs = [{"time_ns": 1950 * SECOND, "arrival_order": 7, "log.exception.type:str": "ValueError"}]
    return api(occurrences=rows, spans=spans, logs=logs)


def sighting(stored):
    """Make what the deriver says of a stored occurrence."""
    return Sighting(
        key=stored["issue_key"],
        service=stored["service_name"],
        title=f"{stored['type']}: {stored['message']}",
        type=stored["type"],
        message=stored["message"],
        culprit=stored["culprit"],
        version=1,
        inputs=(("type", stored["type"]), ("frame", stored["culprit"])),
        first_ns=stored["time_ns"],
        last_ns=stored["time_ns"],
        release=stored.get("release") or "",
    )


@pytest.mark.parametrize(
    "url",
    [
        "/issues",
        "/issues?sort=trend&order=asc&limit=1",
        "/issues?state=all&service=shop&assignee=none&filter=http.route:/buy&buckets=3",
        "/issues/SHOP-1",
        "/issues/shop-2?last=1m",
        "/issues/SHOP-1/occurrences?limit=1",
        "/issues/SHOP-1/occurrences?at=first",
        "/issues/SHOP-1/occurrences/latest",
        "/issues/SHOP-1/occurrences/first",
        f"/issue-occurrences?traces={'01' * 16}&logs=1-1",
        "/releases?service=shop",
        "/releases",
        "/issue-events?after=0&limit=1",
    ],
)
def test_answers_are_as_described(issues, url):
    """A real answer is not empty; that it is what the OpenAPI document says, ``api`` checks of every answer."""
    answer = issues.get(f"/api/v1{url}")

    assert answer.status_code == 200, answer.text
    assert any(value for value in answer.json().values() if isinstance(value, list | dict))


def test_attributes_over_http(issues):
    """One occurrence lets nothing stand out; what was counted is told."""
    answer = issues.get("/api/v1/issues/SHOP-1/attributes?limit=5&last=1h").json()

    assert answer == {"issue": "SHOP-1", "signal": "spans", "counted": 1, "baseline": 1, "attributes": []}


@pytest.mark.parametrize(
    ("url", "status", "field"),
    [
        ("/issues?state=done", 400, "state"),
        ("/issues?sort=size", 400, "sort"),
        ("/issues?filter=type~'('", 400, "filter"),
        ("/issues?cursor=x", 400, "cursor"),
        ("/issues/SHOP-9", 404, "issue"),
        ("/issues/SHOP-9/occurrences", 404, "issue"),
        ("/issues/SHOP-1/occurrences?at=x", 400, "at"),
        ("/issues/SHOP-1/occurrences?cursor=x", 400, "cursor"),
        ("/issues/SHOP-1/occurrences/x", 400, "occurrence"),
        ("/issues/SHOP-1/occurrences/1-1", 404, "occurrence"),
    ],
)
def test_wrong_questions(issues, url, status, field):
    """An error names the parameter at fault and says what to do."""
    answer = issues.get(f"/api/v1{url}")

    assert (answer.status_code, answer.json()["error"]["field"]) == (status, field)
    assert answer.json()["error"].keys() & {"hint", "expected", "column"}
