"""Anomalies over the API: listed, one with what its requests have in common, and what people say is fine."""

from __future__ import annotations

from spanglass_server.anomalies.model import Begun, Course, Key, Kind, Seen

SECOND = 10**9
START_NS = 1_000 * SECOND  # the tests' now is 2,000 s


def begun(kind: Kind, labels: dict[str, str], side: int = 1, surprise: float = 9.0) -> tuple[Begun, Course]:
    """An anomaly that began at 1,000 s."""
    seen = Seen(START_NS + 300 * SECOND, 0.5, 0.01, 0.0, 0.2, surprise, 0.25, 30.0)
    key = Key(kind, tuple(sorted(labels.items())))
    one = Begun(key, " ".join(labels.values()), "ratio", side, START_NS, seen)
    return one, Course(1_300_000, [0.5], [0.01], [0.0], [0.2])


def test_anomalies_are_listed_shown_and_called_fine(api, anomaly_store):
    """The most important first, with its course; failed requests have in common what sets them apart; fine is kept."""
    shop = {"service_name": "shop", "span_name": "GET /cart"}
    anomaly_store.keep(
        [
            begun(Kind.METRIC, {"__name__": "queue", "metric": "lag"}, surprise=5.0), begun(Kind.FAILURES, shop),
            begun(Kind.REQUESTS, shop, -1), begun(Kind.DURATION, shop),
        ],
        {}, {}, 2_000 * SECOND,
    )  # fmt: skip
    spans = [
        {
            "resource.service.name:str": "shop", "name": "GET /cart", "kind": 2,
            "status_code": 2 if number % 4 == 0 else 0,
            "start_time_ns": START_NS + number * SECOND, "duration_ns": SECOND if number % 4 == 0 else 1000,
            "trace_id": bytes([number + 1] * 16), "span_id": bytes([number + 1] * 8),
            "span.tenant:str": "acme" if number % 4 == 0 else f"other-{number % 3}",
        }
        for number in range(200)
    ]  # fmt: skip
    client = api(spans=spans)
    answer = client.get("/api/v1/anomalies").json()
    assert [one["kind"] for one in answer["anomalies"]][-1] == "metric"
    assert [one["metric"] for one in answer["anomalies"]] == [None, None, None, "queue"]
    for asked, total in (("start=now-1d", 4), ("end=now-1d", 0), ("start=now%2B1d", 0), ("end=1970-01-01", 0)):
        assert client.get(f"/api/v1/anomalies?{asked}").json()["total"] == total, asked
    assert client.get("/api/v1/anomalies?start=soon").json()["error"]["field"] == "start"
    assert (answer["counts"], answer["enabled"]) == ({"open": 4, "ended": 0, "fine": 0}, False)
    (failures,) = client.get("/api/v1/anomalies?kind=failures&service=shop&text=CART&state=open").json()["anomalies"]
    assert failures["points"]["values"] == [0.5]
    one = client.get(f"/api/v1/anomalies/{failures['id']}").json()
    assert one["compared"].startswith("failed requests")
    assert [key["values"][0]["filter"] for key in one["differences"] if key["key"] == "tenant"] == ['tenant = "acme"']
    assert len(one["traces"]) == 5
    for kind in ("requests", "duration", "metric"):
        (found,) = client.get(f"/api/v1/anomalies?kind={kind}").json()["anomalies"]
        shown = client.get(f"/api/v1/anomalies/{found['id']}").json()
        assert bool(shown["compared"]) == (kind != "metric"), kind

    path = f"/api/v1/anomalies/{failures['id']}/fine"
    for body, field in (
        ({}, "reason"), ({"reason": " "}, "reason"), ({"reason": 5}, "reason"), ({"reason": "x" * 1001}, "reason"),
        ({"reason": "x", "until": "soon"}, "until"), ({"reason": "x", "until": "now-1h"}, "until"),
        ({"reason": "x", "until": "9999-12-31T00:00:00Z"}, "until"),
        ({"reason": "x", "until": "now+9999999d"}, "until"),
    ):  # fmt: skip
        refused = client.post(path, json=body)
        assert (refused.status_code, refused.json()["error"]["field"]) == (400, field), body
    said = client.post(path, json={"reason": "a test", "until": "now+7d", "actor": "mina"}).json()
    assert (said["actor"], said["until_time"][:10], said["holds"]) == ("mina", "1970-01-08", True)
    assert client.get("/api/v1/anomalies").json()["counts"] == {"open": 3, "ended": 0, "fine": 1}
    assert client.get("/api/v1/anomalies?state=fine").json()["total"] == 1
    undone = client.delete(f"/api/v1/anomaly-feedback/{said['id']}?actor=jo").json()["feedback"]
    assert [(one["undone_by"], one["holds"]) for one in undone] == [("jo", False)]
    assert client.delete(f"/api/v1/anomaly-feedback/{said['id']}").json()["error"]["field"] == "feedback"
    assert client.get("/api/v1/anomalies/99").json()["error"]["field"] == "anomaly"
