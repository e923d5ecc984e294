"""Notifications over the API: what is configured, silences, deliveries, escalations, who is on call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from spanglass_core.alerting.severity import Severity
from spanglass_server.alerting.desk import NewAlert
from spanglass_server.notifications.model import Attempt, Notification, Outcome, Reason, State
from spanglass_server.notifications.people.model import Recipient
from spanglass_server.notifications.people.running import Running
from spanglass_server.notifications.ports import Decision, Tried

if TYPE_CHECKING:
    import httpx
    from notified_world import World

MINUTE_NS = 60 * 10**9
ANN = {"X-Spanglass-User": "ann"}


def error_of(answer: httpx.Response) -> tuple[int, str, str | None]:
    """Status, code and field of a failure."""
    error = answer.json()["error"]
    return answer.status_code, error["code"], error.get("field")


def raised(world: World, title: str = "Slow", **labels: str) -> Any:
    """Raise an alert."""
    return world.alerts.create(NewAlert(title=title, severity=Severity.ERROR, labels=labels), "test")


def test_a_thing_is_kept_changed_and_deleted(client: httpx.Client) -> None:
    """Versions guard changes; what is wrong is named; what is used stays; the settings file is not written."""
    path = "/api/v1/notifications/settings"
    assert set(client.get(f"{path}-schema").json()) > {"channels", "routes", "people"}
    listed = client.get(f"{path}/people").json()
    assert [(thing["name"], thing["origin"], thing["editable"]) for thing in listed["things"]] == [
        ("ann", "settings", False),
        ("bob", "settings", False),
    ]
    wrong = {"channels": {"mial": {}}, "time_zone": "Mars"}
    answer = client.put(f"{path}/people/eve", json={"value": wrong})
    assert error_of(answer) == (400, "bad_request", "value.time_zone")
    wrong = {"yaml": 'quiet_hours:\n  - {from: 22:00, to: "07:00"}\n  - from: "25:00"\n    to: "07:00"\nmail: {}\n'}
    told = [
        (problem["line"], problem["column"], problem["path"])
        for problem in client.post(f"{path}/people/eve/check", json=wrong).json()["problems"]
    ]
    assert told == [(3, 5, "quiet_hours[1].from")], "22:00 is a time, not the number that YAML makes of it"
    assert client.put(f"{path}/people/eve", json=wrong).json()["error"]["message"].startswith("line 3: ")
    [broken] = client.post(f"{path}/people/eve/check", json={"yaml": "a: [1"}).json()["problems"]
    assert broken["line"] == 1
    assert client.post(f"{path}/people/eve/check", json={}).status_code == 400
    huge = client.post(f"{path}/people/eve/check", json={"yaml": "9" * 400}).json()["problems"]
    assert huge[0]["message"].startswith("expected a mapping")
    problems = client.post(f"{path}/people/eve/check", json={"value": {"mial": {}}}).json()["problems"]
    assert [(problem["path"], problem["hint"]) for problem in problems] == [("mial", "did you mean 'mail'?")]
    made = client.put(f"{path}/people/eve", json={"value": {"mail": "eve@example.com"}}, headers=ANN).json()
    assert made["value"]["channels"] == {"mail": {"to": ["eve@example.com"]}}
    changed = {"value": {"mail": "e@example.com"}, "version": made["version"]}
    assert error_of(client.put(f"{path}/people/eve", json={"value": {"mail": ""}}))[:2] == (400, "bad_request")
    assert error_of(client.put(f"{path}/people/eve", json=changed | {"version": ""})) == (409, "conflict", "version")
    now = client.put(f"{path}/people/eve", json=changed).json()
    assert now["version"] != made["version"]
    versions = client.get(f"{path}/people/eve/versions").json()["versions"]
    assert [(version["version"], version["by"]) for version in versions] == [(made["version"], "ann")]
    rota = client.put(f"{path}/rotas/web", json={"value": {"people": ["eve"]}}).json()
    used = client.delete(f"{path}/people/eve", params={"version": now["version"]})
    assert error_of(used) == (400, "bad_request", "value")
    for section, thing in (("rotas/web", rota), ("people/eve", now)):
        assert client.delete(f"{path}/{section}", params={"version": thing["version"]}).status_code == 200
    assert error_of(client.get(f"{path}/people/eve")) == (404, "not_found", "name")
    assert error_of(client.delete(f"{path}/people/ann")) == (403, "forbidden", "name")
    assert error_of(client.get(f"{path}/peple")) == (404, "not_found", "section")


def test_a_silence_is_previewed_made_changed_and_ended(world: World, client: httpx.Client) -> None:
    """What it hides is shown before; who, why, until when; other matchers make another; it is ended, not deleted."""
    slow, _ = raised(world, service="shop"), raised(world, service="cart")
    shop = {"matchers": 'service="shop"'}
    hidden = client.post("/api/v1/silences/preview", json=shop).json()
    assert (hidden["total"], [alert["id"] for alert in hidden["alerts"]]) == (1, [slow.id])
    body = {**shop, "duration": "2h", "comment": "deploy"}
    made = client.post("/api/v1/silences", json=body, headers=ANN)
    assert made.status_code == 201
    silence = made.json()
    assert {**silence, "id": ""} == {
        "id": "",
        "state": "active",
        "matchers": [{"name": "service", "operator": "=", "value": "shop"}],
        "text": '{service="shop"}',
        "starts_at": "2026-01-05T08:00:00.000000000Z",
        "ends_at": "2026-01-05T10:00:00.000000000Z",
        "created_by": "ann",
        "comment": "deploy",
        "updated_at": "2026-01-05T08:00:00.000000000Z",
        "hides": 1,
    }
    one = f"/api/v1/silences/{silence['id']}"
    world.now_ns += MINUTE_NS
    other = client.put(one, json={**body, "matchers": [{"name": "service", "value": "c.*", "operator": "=~"}]}).json()
    assert (other["id"] != silence["id"], other["hides"]) == (True, 1)
    assert client.get(one).json()["state"] == "expired"
    assert [each["id"] for each in client.get("/api/v1/silences").json()["silences"]] == [other["id"]]
    assert client.get("/api/v1/silences", params={"alert": slow.id}).json()["silences"] == []
    assert client.delete(f"/api/v1/silences/{other['id']}").json()["state"] == "expired"
    every = client.get("/api/v1/silences", params={"state": "all"}).json()["silences"]
    assert {each["id"] for each in every} == {silence["id"], other["id"]}


def test_a_silence_that_begins_while_it_is_asked_for_is_active(
    world: World, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock goes on between the arrival of the request and the silence: what begins now is not yet to begin."""
    make = world.desk.silence

    def later(*asked: Any) -> Any:
        world.now_ns += 1_000_000
        return make(*asked)

    monkeypatch.setattr(world.desk, "silence", later)
    body = {"matchers": 'service="shop"', "duration": "2h", "comment": "deploy"}
    assert client.post("/api/v1/silences", json=body, headers=ANN).json()["state"] == "active"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"matchers": 'team="db', "duration": "1h", "comment": "x"}, "matchers"),
        ({"matchers": ['a="b"', {"name": "x"}], "duration": "1h", "comment": "x"}, "matchers[1]"),
        ({"matchers": 'a=~"("', "duration": "1h", "comment": "x"}, "matchers"),
        ({"matchers": 'a=~".*"', "duration": "1h", "comment": "x"}, "matchers"),
        ({"matchers": 'a="b"', "comment": "x"}, "ends_at"),
        ({"matchers": 'a="b"', "duration": "long", "comment": "x"}, "duration"),
        ({"matchers": 'a="b"', "ends_at": "now-1h", "comment": "x"}, "ends_at"),
        ({"matchers": 'a="b"', "duration": "1h", "comment": " "}, "comment"),
    ],
)
def test_a_wrong_silence_names_its_field(client: httpx.Client, body: dict[str, Any], field: str) -> None:
    """A silence that would hide everything, or that nobody could understand later, is refused by its field."""
    assert error_of(client.post("/api/v1/silences", json=body)) == (400, "bad_request", field)


def test_deliveries_are_listed_shown_and_tried_anew(world: World, client: httpx.Client) -> None:
    """The log has every delivery with its attempts, filtered and in pages; one that failed is tried anew."""
    slow = raised(world, service="shop")
    for number in range(3):
        told = Notification(
            id=f"n{number}",
            channel="mail",
            reason=Reason.FIRING,
            thread="t",
            created_ns=world.now_ns + number,
            alerts=(slow, slow) if number else (),
            why="the route {}",
            about={"title": "Incident 7"},
        )
        world.store.enqueue([told])
    failed = Outcome(sent=False, error="550 no such user: correct the address")
    attempt = Attempt(number=1, started_ns=world.now_ns, latency_ns=5 * 10**6, outcome=failed)
    world.store.log([Tried(notification_id="n1", attempt=attempt, state=State.FAILED, error=failed.error)])
    first = client.get("/api/v1/deliveries", params={"limit": 2}).json()
    assert [(row["id"], row["state"], row["title"]) for row in first["deliveries"]] == [
        ("n2", "waiting", "Slow and 1 more"),
        ("n1", "failed", "Slow and 1 more"),
    ]
    rest = client.get("/api/v1/deliveries", params={"cursor": first["next_cursor"]}).json()
    assert [(row["id"], row["title"]) for row in rest["deliveries"]] == [("n0", "Incident 7")]
    assert len(client.get("/api/v1/deliveries", params={"alert": slow.id}).json()["deliveries"]) == 2
    page = client.get("/api/v1/deliveries/n1").json()
    assert (page["error"], page["log"][0]["error"], page["log"][0]["latency_ns"]) == (
        failed.error,
        failed.error,
        5_000_000,
    )
    assert client.post("/api/v1/deliveries/n1/retry").json()["state"] == "waiting"
    again = Attempt(number=2, started_ns=world.now_ns, latency_ns=1, outcome=Outcome(sent=True))
    world.store.log([Tried(notification_id="n1", attempt=again, state=State.SENT)])
    assert error_of(client.post("/api/v1/deliveries/n1/retry")) == (409, "conflict", "id")
    assert error_of(client.get("/api/v1/deliveries/n9")) == (404, "not_found", "id")
    assert error_of(client.get("/api/v1/deliveries", params={"state": "lost"})) == (400, "bad_request", "state")
    status = client.get("/api/v1/notifications").json()
    assert status["channels"][0]["counts"] == {"waiting": 2, "sent": 1}


def test_a_channel_is_tried_before_and_after_it_is_kept(world: World, client: httpx.Client) -> None:
    """A test message goes over a kept channel or one as typed, and says what came of it; a preview sends nothing."""
    world.outcome = Outcome(sent=False, error="connection refused: is the server running?")
    tested = client.post("/api/v1/notifications/test", json={"channel": "mail", "by": "ann"}).json()
    assert (tested["sent"], tested["error"]) == (False, world.outcome.error)
    assert client.get(f"/api/v1/deliveries/{tested['delivery']}").json()["reason"] == "test"
    slow = raised(world)
    typed = {"channel": "new", "value": {"type": "mail", "to": "x@example.com"}, "alert": slow.id}
    shown = client.post("/api/v1/notifications/preview", json=typed).json()
    assert (shown["channel"], shown["title"], shown["chart"], shown["actions"][0]["label"]) == (
        "new",
        "Slow",
        "cG5n",
        "Acknowledge",
    )
    assert len(client.get("/api/v1/deliveries").json()["deliveries"]) == 1
    wrong = typed | {"value": {"type": "mial"}}
    assert error_of(client.post("/api/v1/notifications/preview", json=wrong)) == (400, "bad_request", "value.type")
    nowhere = client.post("/api/v1/notifications/test", json={"channel": "male"})
    assert error_of(nowhere) == (404, "not_found", "channel")
    assert nowhere.json()["error"]["hint"] == "did you mean 'mail'?"


def test_who_hears_of_an_alert(world: World, client: httpx.Client) -> None:
    """An alert that is there, or could be, is followed through the tree to channels and the steps of escalations."""
    slow = raised(world, service="shop", host="h1")
    tree = client.get("/api/v1/notifications/route").json()
    assert [route["matchers"] for route in tree["routes"]] == [['service="shop"']]
    told = client.post("/api/v1/notifications/explain", json={"alert": slow.id}).json()
    made_up = {"labels": {"service": "shop", "host": "h1"}, "severity": "error", "title": "Slow", "source": "api"}
    assert client.post("/api/v1/notifications/explain", json=made_up).json() == told
    assert [(step["depth"], step["result"]) for step in told["steps"]] == [(0, "passes"), (1, "takes")]
    (hearing,) = told["hearings"]
    assert (hearing["channels"], hearing["group_labels"], hearing["group_wait"]) == (["mail"], {"host": "h1"}, "30s")
    assert hearing["escalation_steps"] == [
        {"after": "0s", "tell": ["mail"], "recipients": [{"channel": "mail", "person": None, "until": None}]},
        {"after": "15m", "tell": ["rota:db"], "recipients": []},  # it begins at nine
    ]
    other = client.post("/api/v1/notifications/explain", json={"labels": {"service": "cart"}}).json()
    assert (other["steps"][1]["failing"], other["steps"][1]["value"]) == ('service="shop"', "cart")
    for wrong, field in (({"alert": "x", "title": "y"}, "alert"), ({"labels": {"severity": "bad"}}, "severity")):
        assert error_of(client.post("/api/v1/notifications/explain", json=wrong)) == (400, "bad_request", field)


def test_who_is_on_call(client: httpx.Client) -> None:
    """Each rota says who is on call, until when, and who is next; a schedule covers its range."""
    (rota,) = client.get("/api/v1/on-call", params={"at": "2026-01-06T12:00:00Z"}).json()["rotas"]
    assert (rota["rota"], rota["now"]["full_name"], rota["now"]["end"], rota["next"]["person"]) == (
        "db",
        "Ann",
        "2026-01-12T09:00:00.000000000Z",
        "bob",
    )
    asked = {"start": "2026-01-05T00:00:00Z", "end": "2026-01-20T00:00:00Z"}
    duties = client.get("/api/v1/on-call/db", params=asked).json()["duties"]
    assert [duty["person"] for duty in duties] == [None, "ann", "bob", "ann"]
    assert error_of(client.get("/api/v1/on-call/dba")) == (404, "not_found", "rota")
    assert error_of(client.get("/api/v1/on-call/db", params={"end": "now-1h"})) == (400, "bad_request", "end")
    assert error_of(client.get("/api/v1/on-call", params={"at": "9999-12-31T00:00:00Z"})) == (400, "bad_request", "at")


def test_one_alert_says_who_was_told_and_what_runs(world: World, client: httpx.Client) -> None:
    """The bell shows open alerts whatever routes say; one alert shows its deliveries, silences and escalation."""
    slow, gone = raised(world, service="shop"), raised(world, "Gone")
    world.alerts.resolve(gone.id, "ann")
    running = Running(
        key="g",
        escalation="db",
        begun_ns=world.now_ns,
        since_ns=world.now_ns,
        step=1,
        told=(Recipient(channel="mail"),),
        held=(Recipient(channel="mail", person="ann", until_ns=world.now_ns + 60 * MINUTE_NS),),
        alert_ids=(slow.id, "deleted"),
    )
    world.store.decide(Decision(cursor=1, escalations={"g": running.row()}))
    body = {"matchers": 'service="shop"', "duration": "2h", "comment": "deploy"}
    client.post("/api/v1/silences", json=body)
    bell = client.get("/api/v1/notifications/bell").json()
    assert (bell["open"], bell["unacknowledged"], [alert["id"] for alert in bell["alerts"]]) == (1, 1, [slow.id])
    told = client.get(f"/api/v1/notifications/alerts/{slow.id}").json()
    assert [silence["comment"] for silence in told["silences"]] == ["deploy"]
    assert told["escalations"] == client.get("/api/v1/escalations").json()["escalations"]
    (escalation,) = told["escalations"]
    assert {name: escalation[name] for name in ("step", "steps", "next_at", "told", "held")} == {
        "step": 2,
        "steps": 2,
        "next_at": "2026-01-05T08:15:00.000000000Z",
        "told": [{"channel": "mail", "person": None, "until": None}],
        "held": [{"channel": "mail", "person": "ann", "until": "2026-01-05T09:00:00.000000000Z"}],
    }
    assert [alert["id"] for alert in escalation["alerts"]] == [slow.id]
    assert error_of(client.get("/api/v1/notifications/alerts/x")) == (404, "not_found", "id")
