"""Performance findings over the API: listed by cost, one, those of a trace, dismissed with a reason."""

from __future__ import annotations

import pytest

from spanglass_server.findings.model import Evidence, Kind, Place, Sighting
from spanglass_server.times import NS_PER_MS, NS_PER_SECOND

NOW_NS = 2_000 * NS_PER_SECOND
QUERY = "SELECT * FROM items WHERE id = ?"


def sighting(kind: Kind, *, hits: int, waste_ms: int, subject: str = QUERY) -> Sighting:
    """What was seen of a finding, with one trace."""
    at_ns = NOW_NS - 60 * NS_PER_SECOND
    evidence = (Evidence(b"\x0a" * 16, b"\x0b" * 8, at_ns, 90 * NS_PER_MS, 12, waste_ms * NS_PER_MS),)
    place = Place(kind, "shop", "GET /cart", subject)
    return Sighting(
        place, 20, hits, 12 * hits, waste_ms * NS_PER_MS, at_ns, at_ns, "SELECT * FROM items WHERE id = 7", evidence
    )


@pytest.fixture
def client(api, finding_store):
    """Serve the API with three findings, one of them seen once."""
    finding_store.see([
        sighting(Kind.SLOW_QUERY, hits=4, waste_ms=900),
        sighting(Kind.N_PLUS_ONE, hits=10, waste_ms=4000),
        sighting(Kind.RETRIES, hits=2, waste_ms=9000),
    ])  # fmt: skip
    return api()


def test_findings_are_listed_by_cost(client):
    """Those seen in three requests or more, what costs most first, with frequency, cost a day, certainty and advice."""
    answer = client.get("/api/v1/findings").json()

    assert [(one["kind"], one["hits"]) for one in answer["findings"]] == [("n_plus_one", 10), ("slow_query", 4)]
    assert answer["counts"] == {"open": 2, "dismissed": 0}
    first = answer["findings"][0]
    assert (first["service"], first["operation"], first["subject"]) == ("shop", "GET /cart", QUERY)
    # nothing was looked at for an hour, so the 4 s count as those of an hour
    assert (first["requests"], first["cost_per_day_ns"]) == (20, 4 * 24 * NS_PER_SECOND)
    assert first["seen"].startswith("12 statements of one form")
    assert 0.9 < first["confidence"] < 0.95
    assert [one["kind"] for one in client.get("/api/v1/findings?kind=slow_query").json()["findings"]] == ["slow_query"]
    assert len(client.get("/api/v1/findings?state=all").json()["findings"]) == 3
    assert client.get("/api/v1/findings?service=else").json()["findings"] == []
    assert client.get("/api/v1/findings?kind=slow").json()["error"]["field"] == "kind"


def test_a_finding_is_dismissed_with_a_reason_and_opened_again(client):
    """Without a reason it is not; it leaves the list, whatever is seen later; opened again it is back."""
    path = f"/api/v1/findings/{client.get('/api/v1/findings').json()['findings'][0]['id']}"
    one = client.get(path).json()
    assert one["evidence"] == [
        {
            "trace_id": "0a" * 16, "span_id": "0b" * 8, "start_time": "1970-01-01T00:32:20.000000000Z",
            "duration_ns": 90 * NS_PER_MS, "calls": 12, "cost_ns": 4000 * NS_PER_MS,
        }
    ]  # fmt: skip
    assert one["hours"] == [{"t": 0, "hits": 10}]

    for body, field in (
        ({"state": "dismissed"}, "reason"),
        ({"state": "gone"}, "state"),
        ({"state": "open", "why": 1}, "why"),
        ({"state": "dismissed", "reason": 4}, "reason"),
        ([], "body"),
    ):
        refused = client.patch(path, json=body)
        assert (refused.status_code, refused.json()["error"]["field"]) == (400, field)
    dismissed = client.patch(path, json={"state": "dismissed", "reason": "a nightly job", "actor": "mina"}).json()

    assert (dismissed["state"], dismissed["dismissed"]["reason"], dismissed["dismissed"]["actor"]) == (
        "dismissed", "a nightly job", "mina",
    )  # fmt: skip
    assert client.get("/api/v1/findings").json()["counts"] == {"open": 1, "dismissed": 1}
    assert client.get("/api/v1/findings?state=dismissed").json()["findings"][0]["id"] == one["id"]
    assert client.patch(path, json={"state": "open"}).json()["dismissed"] is None
    assert client.get("/api/v1/findings/99").json()["error"]["field"] == "finding"


def test_what_is_found_in_a_trace(api, finding_store):
    """The pattern is found in the spans of the trace that is asked for, with the finding that it belongs to."""
    spans = [
        {
            "trace_id": bytes([trace]) * 16, "span_id": bytes([number]) * 8, "kind": 3 if number > 1 else 2,
            "parent_span_id": b"\x01" * 8 if number > 1 else None, "name": "SELECT" if number > 1 else "GET /cart",
            "start_time_ns": (1_000 + number * 10) * NS_PER_MS, "duration_ns": (9 if number > 1 else 90) * NS_PER_MS,
            "resource.service.name:str": "shop",
            **({"span.db.query.text:str": QUERY.replace("?", str(number))} if number > 1 else {}),
        }
        for trace, calls in ((1, 12), (2, 3))
        for number in range(1, calls + 2)
    ]  # fmt: skip
    finding_store.see([sighting(Kind.N_PLUS_ONE, hits=1, waste_ms=5)])
    client = api(spans=spans)

    (found,) = client.get(f"/api/v1/traces/{'01' * 16}/findings").json()["findings"]

    assert (found["kind"], found["calls"], found["span_id"], found["id"]) == ("n_plus_one", 12, "02" * 8, 1)
    assert client.get(f"/api/v1/traces/{'02' * 16}/findings").json()["findings"] == []
