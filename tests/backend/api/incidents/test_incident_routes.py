"""Incidents over the API: opened, changed, answered field by field, their postmortem and the report."""

from __future__ import annotations

from dataclasses import replace

import pytest
from described_answers import described_by
from starlette.applications import Starlette

from spanglass_core.alerting.lifecycle import Status as AlertStatus
from spanglass_core.alerting.severity import Severity
from spanglass_server.alerting.desk import NewAlert
from spanglass_server.alerting.model import Entry
from spanglass_server.alerting.sql_views import sql_views
from spanglass_server.api.factory import create_api
from spanglass_server.api.incidents.routes import all_incident_routes
from spanglass_server.incidents import report as reckoning

NOW = "1970-01-01T00:33:20.000000000Z"
NOW_NS = 2_000 * 10**9
PATH = "/api/monitoring/incidents/"


class InPlace:
    """Runs questions where they are asked."""

    async def run(self, query, *, deadline_s):
        """Run one question."""
        del deadline_s
        return query(None)


@pytest.fixture
def client(desk, incident_desk, standing_server):
    """Return a client of the routes, each of whose answers has its schema."""
    routes = all_incident_routes(incident_desk, sql_views(desk.book, desk.store)["monitoring_alerts"].rows)
    served = create_api(
        routes, engine=InPlace(), clock_ns=lambda: NOW_NS, authorize=lambda _: None, deadline_s=7.5, version="1"
    )
    made = standing_server(Starlette(routes=served))
    made.event_hooks = {"response": [described_by(routes)]}
    return made


def raised(desk, title, severity="critical", **labels):
    """Raise an alert by hand."""
    return desk.create(NewAlert(title=title, severity=Severity(severity), labels=labels), "test")


def test_an_incident_from_opening_to_postmortem(client, desk):
    """Opened with an alert, seen to step by step, resolved with its alert; the postmortem tells all of it, escaped."""
    alert, other = raised(desk, "db <b>down</b>", service="db"), raised(desk, "shop slow", "warning", service="shop")
    opened = client.post(
        PATH,
        json={
            "title": "Payments | fail", "alerts": [alert.id], "services": ["pay"], "lead": "ann",
            "runbook": "- [ ] look\n  closely\n- restart", "steps": ["tell"], "started_at": "now-5m", "by": "ann",
        },
    )  # fmt: skip
    assert opened.status_code == 201
    made = opened.json()
    assert (made["id"], made["status"], made["severity"], made["source"]) == ("INC-1", "open", "critical", "person")
    assert (made["services"], made["responders"], made["started_at"]) == (
        ["pay", "db"], ["ann"], "1970-01-01T00:28:20.000000000Z",
    )  # fmt: skip
    assert [(step["number"], step["text"]) for step in made["steps"]] == [
        (1, "tell"), (2, "look closely"), (3, "restart"),
    ]  # fmt: skip
    assert [(one["title"], one["because"]) for one in made["alerts"]] == [
        ("db <b>down</b>", "ann opened the incident with it")
    ]
    assert [line["kind"] for line in made["timeline"]] == ["alert.fired", "opened", "joined"]

    assert client.put(PATH + "inc-1/", json={"status": "acknowledged", "by": "bob"}).json()["acknowledged_by"] == "bob"
    assert desk.store.alert(alert.id).acknowledged_by == "bob"
    client.post(PATH + "INC-1/notes/", json={"text": "the bank *is* down"}, headers={"X-Spanglass-User": "cleo"})
    client.post(PATH + "INC-1/alerts/", json={"alerts": [other.id], "by": "bob"})
    assert client.put(PATH + "INC-1/steps/2/", json={"done": True, "by": "bob"}).json()["steps"][1]["done_by"] == "bob"
    client.post(PATH + "INC-1/steps/", json={"text": "call the bank"})
    body = {
        "cause": "disk full",
        "responders": ["ann", "bob"],
        "status": "resolved",
        "reason": "cleaned up",
        "by": "bob",
    }
    done = client.put(PATH + "INC-1/", json=body).json()
    assert (done["status"], done["resolution"], done["possible"]) == ("resolved", "cleaned up", ["open"])
    assert done["durations"] == {"detect": 300.0, "acknowledge": 0.0, "recover": 300.0, "resolve": 0.0}
    assert {desk.store.alert(each.id).status for each in (alert, other)} == {AlertStatus.RESOLVED}

    draft = client.get(PATH + "INC-1/postmortem/").json()
    assert draft["is_draft"]
    for part in (
        "# INC-1: Payments \\| fail", "## Root cause\n\ndisk full", "- [x] look closely (bob,",
        "the bank \\*is\\* down",
        "db \\<b\\>down\\</b\\>", "| Recovered | 1970-01-01 00:33:20 UTC, after 5 min |", "## Action items",
    ):  # fmt: skip
        assert part in draft["text"]
    kept = client.put(PATH + "INC-1/postmortem/", json={"text": "# Ours\n", "by": "ann"}).json()
    assert (kept["is_draft"], kept["text"]) == (False, "# Ours")
    assert client.put(PATH + "INC-1/postmortem/", json={"text": ""}).json()["is_draft"]

    again = client.post(PATH, json={"title": "Payments | fail", "services": ["pay"]}).json()
    assert [(one["id"], one["why"], one["resolution"]) for one in again["similar"]] == [
        ("INC-1", "about pay too", "cleaned up")
    ]


def test_lists_merges_and_deletes(client, desk):
    """A page with counts and a cursor; merged, an incident is dismissed and its alerts are in the other."""
    alert = raised(desk, "a")
    for title, alerts in (("One", [alert.id]), ("Two", []), ("Three", [])):
        client.post(PATH, json={"title": title, "alerts": alerts, "services": ["shop"]})
    page = client.get(PATH, params={"limit": 2, "status": "live", "service": "shop"}).json()
    assert ([each["id"] for each in page["incidents"]], page["total"]) == (["INC-3", "INC-2"], 3)
    assert page["counts"]["status"]["open"] == 3
    rest = client.get(PATH, params={"limit": 2, "status": "live", "cursor": page["next_cursor"]}).json()
    assert ([each["id"] for each in rest["incidents"]], rest["next_cursor"]) == (["INC-1"], None)
    into = client.post(PATH + "INC-1/merge/", json={"into": "inc-2", "by": "ann"}).json()
    assert (into["id"], into["alerts"][0]["because"]) == ("INC-2", "came with INC-1")
    assert client.get(PATH + "INC-1/").json()["merged_into"] == "INC-2"
    assert client.get(PATH, params={"alert": alert.id}).json()["incidents"][0]["id"] == "INC-2"
    assert client.delete(PATH + f"INC-2/alerts/{alert.id}/").json()["alerts"] == []
    assert client.delete(PATH + "INC-3/").json() == {"id": "INC-3"}
    assert client.get(PATH + "INC-3/").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "told"),
    [
        ("POST", "", {}, (400, "title")),
        ("POST", "", {"title": "x", "services": "shop"}, (400, "services")),
        ("POST", "", {"title": "x", "severity": "bad"}, (400, "severity")),
        ("POST", "", {"title": "x", "started_at": "now+1h"}, (400, "started_at")),
        ("POST", "", {"title": "x", "started_at": "now-9999999d"}, (400, "started_at")),
        ("POST", "", {"title": "x", "alerts": ["nowhere"]}, (404, "alerts")),
        ("POST", "", {"title": "x", "alerts": ["HELD"]}, (409, "alerts")),
        ("POST", "", {"title": "x", "channels": ["mail", "maul"]}, (400, "channels")),
        ("PUT", "INC-1/", {"channels": ["maul"]}, (400, "channels")),
        ("PUT", "INC-1/", {}, (400, "status")),
        ("PUT", "INC-1/", {"status": "gone"}, (400, "status")),
        ("PUT", "INC-9/", {"status": "resolved"}, (404, "id")),
        ("PUT", "INC-1/", {"status": "open"}, (409, "status")),
        ("PUT", "INC-1/steps/9/", {"done": True}, (404, "number")),
        ("PUT", "INC-1/steps/1/", {"done": "yes"}, (400, "done")),
        ("POST", "INC-1/notes/", {"text": " "}, (400, "text")),
        ("POST", "INC-1/alerts/", {"alerts": []}, (400, "alerts")),
        ("DELETE", "INC-1/alerts/nowhere/", None, (404, "alert")),
        ("POST", "INC-1/merge/", {"into": "inc-1"}, (400, "into")),
        ("POST", "INC-1/merge/", {"into": "INC-9"}, (404, "id")),
        ("GET", "?status=nothing", None, (400, "status")),
        ("GET", "?cursor=INC-9", None, (400, "cursor")),
    ],
)
def test_what_is_wrong_is_named(client, desk, method, path, body, told):
    """Each mistake names its field, and changes nothing."""
    alert = raised(desk, "a")
    client.post(PATH, json={"title": "One", "alerts": [alert.id]})
    if body and body.get("alerts") == ["HELD"]:
        body = {**body, "alerts": [alert.id]}
    before = client.get(PATH).json()["version"]

    answer = client.request(method, PATH + path, json=body)

    assert (answer.status_code, answer.json()["error"]["field"]) == told
    assert client.get(PATH).json()["version"] == before


def test_the_report(client, desk, monkeypatch):
    """N11: MTTA, MTTR and share in time of alerts and incidents; what was dismissed is none, what is late counts."""
    minute = 60 * 10**9
    for number, (took, status) in enumerate(
        [(5, "resolved"), (10, "resolved"), (30, "resolved"), (1, "dismissed"), (None, "active")]
    ):
        alert = raised(desk, f"alert {number}", "error", service="shop")
        desk.store.delete(alert.id)
        opened = NOW_NS - 30 * minute
        ended = {} if took is None else {"resolved_ns": opened + took * minute, "resolved_by": "rule"}
        alert = replace(
            alert,
            created_ns=opened,
            status=AlertStatus(status),
            acknowledged_ns=opened + minute * (number == 0),
            **ended,
        )
        desk.store.create(alert, Entry(opened, "fired", "rule"))
    client.post(PATH, json={"title": "One", "started_at": "now-20m"})
    client.put(PATH + "INC-1/", json={"status": "resolved"})
    report = client.get("/api/monitoring/incident-report/", params={"start": "0", "end": "2001"}).json()

    alerts, incidents = report["alerts"]["all"], report["incidents"]["all"]
    assert report["target_s"] == 900
    assert (alerts["total"], alerts["open"], alerts["dismissed"], alerts["late"]) == (4, 1, 1, 2)
    assert alerts["within"] == 0.5
    assert alerts["resolve"] == {"count": 3, "mean": 900.0, "median": 600.0, "p90": 1560.0}
    assert [(each["name"], each["total"]) for each in report["alerts"]["by"]["service"]] == [("shop", 4)]
    assert (incidents["total"], incidents["within"], incidents["recover"]["mean"]) == (1, 1.0, 1200.0)
    assert [day["total"] for day in report["alerts"]["days"]] == [4]

    monkeypatch.setattr(reckoning, "MOST_GROUPS", 1)
    raised(desk, "one of many", service="cart")
    client.post(PATH, json={"title": "Two", "services": ["cart", "db"]})

    def counted(service):
        params = {"start": "0", "end": "2001", "service": service}
        found = client.get("/api/monitoring/incident-report/", params=params).json()
        return [found[part]["all"]["total"] for part in ("alerts", "incidents")]

    assert [counted(service) for service in ("shop", "cart", "db", "", "none")] == [
        [4, 0],
        [1, 1],
        [0, 1],
        [5, 2],
        [0, 0],
    ]
    empty = client.get("/api/monitoring/incident-report/", params={"start": "1", "end": "2"}).json()
    assert (empty["alerts"]["all"]["within"], empty["incidents"]["by"]["severity"]) == (None, [])
