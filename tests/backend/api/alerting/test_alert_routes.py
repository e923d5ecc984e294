"""Alerts over the API: raised, listed, changed by the state machine, each change told by the history."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest

from spanglass_core.alerting.severity import Severity
from spanglass_server.alerting.desk import NewAlert
from spanglass_server.alerting.model import Entry
from spanglass_server.alerting.store.sqlite import SqliteAlertStore

NOW = "1970-01-01T00:33:20.000000000Z"
PATH = "/api/monitoring/alerts/"


def told(answer):
    """Status, code and field of a failure."""
    error = answer.json()["error"]
    return answer.status_code, error["code"], error.get("field")


def raised(desk, title, severity="warning", at=None, **labels):
    """Raise an alert by hand, as a rule or at another time if that matters."""
    alert = desk.create(NewAlert(title=title, severity=Severity(severity), labels=labels), "test")
    return alert if at is None else move(desk, alert, created_ns=at)


def move(desk, alert, **changes):
    """Store an alert as it could not be made by hand."""
    desk.store.delete(alert.id)
    return desk.store.create(replace(alert, **changes), Entry(0, "fired", "rule"))


def test_an_alert_is_raised_with_all_fields(client):
    """What is sent is there, what is not has its default, and who did it is in the history."""
    answer = client.post(
        PATH,
        json={
            "title": "disk is full",
            "description": "of /var",
            "severity": "error",
            "labels": {"host_name": "h1", "team": "ops"},
            "alert_type": "disk",
            "source": "cron",
            "value": 0.99,
            "unit": "ratio",
            "owner": "ops",
            "runbook": "https://runbooks/disk",
            "by": "ann",
        },
    )
    assert answer.status_code == 201
    made = answer.json()
    assert uuid.UUID(made["id"])
    fingerprint = made["details"].pop("fingerprint")
    assert made == {
        "id": made["id"],
        "alert_type": "disk",
        "rule": "",
        "rule_name": "",
        "title": "disk is full",
        "description": "of /var",
        "severity": "error",
        "status": "active",
        "possible": ["acknowledged", "resolved", "dismissed"],
        "source": "cron",
        "service": None,
        "host": "h1",
        "firing": False,
        "value": 0.99,
        "unit": "ratio",
        "count": 1,
        "priority": made["priority"],
        "owner": "ops",
        "runbook": "https://runbooks/disk",
        "part_of": None,
        "created_at": NOW,
        "updated_at": NOW,
        "acknowledged_at": None,
        "acknowledged_by": None,
        "resolved_at": None,
        "resolved_by": None,
        "details": {
            "key": {},
            "labels": {"host_name": "h1", "team": "ops", "alert_type": "disk"},
            "channels": [],
        },
    }
    page = client.get(f"{PATH}{made['id']}/").json()
    assert (page["details"]["fingerprint"], page["notes"], page["evidence"]) == (fingerprint, [], {})
    assert [(entry["kind"], entry["by"], entry["value"]) for entry in page["history"]] == [("fired", "ann", 0.99)]

    plain = client.post(PATH, json={"title": "x"}, headers={"X-Spanglass-User": "jürgen".encode()}).json()
    assert (plain["severity"], plain["source"], plain["alert_type"]) == ("warning", "api", "api")
    (entry,) = client.get(f"{PATH}{plain['id']}/").json()["history"]
    assert entry["by"] == "jürgen"


def test_the_same_alert_counts_up_while_it_is_open(client):
    """Title, source and labels tell alerts apart, or the fingerprint that is given; one that is over is another."""
    body = {"title": "disk is full", "labels": {"host": "h1"}}
    first, again = (client.post(PATH, json=body).json() for _ in range(2))
    other = client.post(PATH, json=body | {"labels": {"host": "h2"}}).json()
    assert (again["id"], again["count"]) == (first["id"], 2)
    assert (other["id"] != first["id"], other["count"]) == (True, 1)

    client.put(f"{PATH}{first['id']}/", json={"status": "resolved"})
    assert client.post(PATH, json=body).json()["id"] != first["id"]

    named = [client.post(PATH, json={"title": title, "fingerprint": "backup"}).json() for title in ("a", "b")]
    assert (named[0]["id"], named[1]["count"]) == (named[1]["id"], 2)


def test_every_change_of_status_is_legal_or_a_conflict_that_says_what_is(client):
    """The table of the life of an alert, over the API; who and when are kept, and the history tells each change."""
    legal = {
        "active": {"acknowledged", "resolved", "dismissed"},
        "acknowledged": {"active", "resolved", "dismissed"},
        "resolved": set(),
        "dismissed": set(),
    }
    for before, after in ((one, other) for one in legal for other in legal):
        made = client.post(PATH, json={"title": f"{before} {after}"}).json()
        address = f"{PATH}{made['id']}/"
        if before != "active":
            assert client.put(address, json={"status": before, "by": "ann"}).status_code == 200
        answer = client.put(address, json={"status": after, "by": "bob", "reason": "because"})
        if after in legal[before]:
            page = answer.json()
            assert (answer.status_code, page["status"], set(page["possible"])) == (200, after, legal[after])
            last = page["history"][-1]
            assert (last["by"], last["text"]) == ("bob", "because")
            assert page["resolved_by"] == ("bob" if after in ("resolved", "dismissed") else None)
            assert page["resolved_at"] == (NOW if after in ("resolved", "dismissed") else None)
            assert page["acknowledged_by"] == {"acknowledged": "bob"}.get(
                after, "ann" if before == "acknowledged" and after != "active" else None
            )
        else:
            assert told(answer) == (409, "conflict", "status")
            assert set(answer.json()["error"].get("expected", [])) == legal[before]
            assert ("hint" in answer.json()["error"]) == bool(legal[before]), "what is over stays over"
            assert client.get(address).json()["status"] == before


def test_a_path_without_its_slash_names_the_one_with_it(client):
    """Nobody has to look up which paths end with a slash."""
    for given, meant in ((PATH.rstrip("/"), PATH), ("/api/v1/rules/", "/api/v1/rules")):
        answer = client.get(given)
        assert (answer.status_code, answer.json()["error"]["hint"]) == (404, f"did you mean {meant}")
    assert client.get("/api/v1/nothing/").json()["error"]["hint"].endswith("lists all routes")


def test_an_alert_is_written_anew(client):
    """Only what is given changes; together with a status both do; the history says what was changed."""
    made = client.post(PATH, json={"title": "t", "description": "d", "labels": {"a": "1"}}).json()
    address = f"{PATH}{made['id']}/"

    page = client.put(address, json={"severity": "critical", "owner": "ops", "by": "ann"}).json()
    assert (page["title"], page["severity"], page["owner"], page["details"]["labels"]) == (
        "t",
        "critical",
        "ops",
        {"a": "1"},
    )
    assert "severity" in page["history"][-1]["text"]
    both = client.put(address, json={"status": "acknowledged", "title": "n", "labels": {}, "description": ""}).json()
    assert (both["title"], both["status"], both["description"], both["details"]["labels"]) == (
        "n",
        "acknowledged",
        "",
        {},
    )


def test_notes_are_kept_with_their_writer(client):
    """A note is in the notes and in the history; a long one is refused."""
    made = client.post(PATH, json={"title": "t"}).json()
    page = client.post(f"{PATH}{made['id']}/notes/", json={"text": " looked at it ", "by": "ann"}).json()
    assert page["notes"] == [{"time": NOW, "by": "ann", "text": "looked at it"}]
    assert [entry["kind"] for entry in page["history"]] == ["fired", "note"]


def test_an_alert_is_deleted(client):
    """It is gone with its history; a second time there is nothing to delete."""
    made = client.post(PATH, json={"title": "t"}).json()
    assert client.delete(f"{PATH}{made['id']}/").json() == {"id": made["id"]}
    assert client.get(PATH).json()["alerts"] == []
    for answer in (client.delete(f"{PATH}{made['id']}/"), client.get(f"{PATH}{made['id']}/")):
        assert told(answer) == (404, "not_found", "id")


@pytest.mark.parametrize(
    ("parameters", "titles"),
    [
        ({}, ["five", "four", "three", "two", "one"]),
        ({"status": "open"}, ["five", "four", "three", "two"]),
        ({"status": "resolved"}, ["one"]),
        ({"status": "acknowledged,RESOLVED"}, ["two", "one"]),
        ({"severity": "error,critical"}, ["five", "four"]),
        ({"service": "shop"}, ["four", "three"]),
        ({"host": "h1"}, ["five"]),
        ({"rule": "r1"}, ["three"]),
        ({"source": "rule"}, ["three"]),
        ({"text": "FOU"}, ["four"]),
        ({"text": "payments"}, ["two"]),
        ({"labels": "team=payments"}, ["two"]),
        ({"labels": "team=payments,env=test"}, []),
        ({"start": "1200"}, ["five", "four", "three"]),
        ({"end": "1200"}, ["two", "one"]),
        ({"last": "500s"}, ["five"]),
        ({"status": "open", "service": "shop", "severity": "error"}, ["four"]),
    ],
)
def test_the_list_is_filtered(client, desk, parameters, titles):
    """Each filter by itself, and together; the newest comes first."""
    one = raised(desk, "one", at=1000 * 10**9)
    desk.resolve(one.id, "ann")
    two = raised(desk, "two", at=1100 * 10**9, team="payments", env="prod")
    desk.acknowledge(two.id, "ann")
    three = raised(desk, "three", service_name="shop")
    move(desk, three, created_ns=1300 * 10**9, rule_uid="r1", source="rule")
    raised(desk, "four", "error", at=1400 * 10**9, service="shop")
    raised(desk, "five", "critical", at=1600 * 10**9, host="h1")

    answer = client.get(PATH, params=parameters)

    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert [alert["title"] for alert in found["alerts"]] == titles
    assert found["total"] == len(titles)


def test_counts_leave_their_own_filter_out(client, desk):
    """By status for the severities asked for, and the other way round; the version rises with each change."""
    for title, severity in (("a", "error"), ("b", "error"), ("c", "info")):
        raised(desk, title, severity)
    desk.resolve(raised(desk, "d", "error").id, "ann")

    found = client.get(PATH, params={"status": "active", "severity": "error"}).json()
    assert found["counts"] == {
        "status": {"active": 2, "acknowledged": 0, "resolved": 1, "dismissed": 0},
        "severity": {"info": 1, "warning": 0, "error": 2, "critical": 0},
    }
    raised(desk, "e")
    assert client.get(PATH).json()["version"] > found["version"]


def test_pages_hold_every_alert_once(client, desk):
    """Whatever the size of a page, also of alerts of one moment; that the last one of a page is deleted is said."""
    for number in range(7):
        raised(desk, str(number))
    titles, cursor = [], ""
    while cursor is not None:
        page = client.get(PATH, params={"limit": 3, "cursor": cursor}).json()
        titles += [alert["title"] for alert in page["alerts"]]
        cursor = page["next_cursor"] or None
    assert titles == ["6", "5", "4", "3", "2", "1", "0"]

    page = client.get(PATH, params={"limit": 3}).json()
    client.delete(f"{PATH}{page['next_cursor']}/")
    assert told(client.get(PATH, params={"limit": 3, "cursor": page["next_cursor"]})) == (400, "bad_request", "cursor")


@pytest.mark.parametrize(
    ("method", "body", "field"),
    [
        ("POST", {}, "title"),
        ("POST", {"title": ""}, "title"),
        ("POST", {"title": 5}, "title"),
        ("POST", {"title": "x" * 201}, "title"),
        ("POST", {"title": "x", "severity": "bad"}, "severity"),
        ("POST", {"title": "x", "severity": 3}, "severity"),
        ("POST", {"title": "x", "labels": ["a"]}, "labels"),
        ("POST", {"title": "x", "labels": {"a": 1}}, "labels"),
        ("POST", {"title": "x", "labels": {str(n): "" for n in range(65)}}, "labels"),
        ("POST", {"title": "x", "value": "many"}, "value"),
        ("POST", {"title": "x", "value": True}, "value"),
        ("POST", {"title": "x", "status": "active"}, "status"),
        ("POST", [], "body"),
        ("PUT", {}, "status"),
        ("PUT", {"status": "open"}, "status"),
        ("PUT", {"by": "ann"}, "status"),
        ("PUT", {"title": ""}, "title"),
        ("PUT", {"id": "x"}, "id"),
        ("NOTE", {"text": " "}, "text"),
        ("NOTE", {}, "text"),
    ],
)
def test_a_wrong_body_names_the_field(client, method, body, field):
    """With what the field takes, or what to send; nothing is changed."""
    made = client.post(PATH, json={"title": "t"}).json()
    version = client.get(PATH).json()["version"]
    address = {"POST": PATH, "PUT": f"{PATH}{made['id']}/", "NOTE": f"{PATH}{made['id']}/notes/"}[method]

    answer = client.request("POST" if method == "NOTE" else method, address, json=body)

    assert told(answer) == (400, "bad_request", field)
    assert answer.json()["error"].keys() & {"hint", "expected"}
    assert client.get(PATH).json()["version"] == version


@pytest.mark.parametrize(
    ("name", "text"),
    [("status", "opened"), ("severity", "loud"), ("labels", "team"), ("last", "soon"), ("start", "never")],
)
def test_a_wrong_filter_names_the_parameter(client, name, text):
    """In the shape of errors."""
    assert told(client.get(PATH, params={name: text})) == (400, "bad_request", name)


def test_a_disk_that_fails_is_told(client, monkeypatch):
    """As a 503, which clients try again."""

    def fail(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr(SqliteAlertStore, "create", fail)
    answer = client.post(PATH, json={"title": "t"})
    assert told(answer) == (503, "unavailable", None)
    assert "no space left" in answer.json()["error"]["message"]
