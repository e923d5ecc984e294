"""Alertmanager's API: what Prometheus posts, what amtool does, and what other clients are told."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from notified_world import World
from starlette.applications import Starlette

from spanglass_core.alerting.lifecycle import OPEN, Status
from spanglass_core.alerting.severity import Severity
from spanglass_server.alerting.desk import NewAlert
from spanglass_server.alerting.ports import AlertFilter
from spanglass_server.alerting.posted import Posted, PostedAlerts
from spanglass_server.api.alertmanager.routes import create_alertmanager_api
from spanglass_server.api.endpoint import Context
from spanglass_server.api.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx

MINUTE_NS = 60 * 10**9
API = "/alertmanager/api/v2"


class Client:
    """An HTTP client with the world behind it."""

    def __init__(self, world: World, serve: Callable[[Any], httpx.Client]) -> None:
        self.world = world
        self.is_allowed = True
        self.posted = PostedAlerts(world.alerts, world.clock_ns)
        context = Context(SimpleNamespace(run=_run), world.clock_ns, self._authorize, 7.5)  # type: ignore[arg-type]
        self.http = serve(Starlette(routes=create_alertmanager_api(context, world.desk, self.posted, "1.2.3")))
        self.http.event_hooks = {}

    def _authorize(self, _: Any) -> None:
        if not self.is_allowed:
            raise ApiError("unauthorized", "the read token is missing or wrong")

    def post(self, path: str, body: Any) -> httpx.Response:
        """Post JSON."""
        return self.http.post(f"{API}{path}", json=body)

    def get(self, path: str, **params: Any) -> Any:
        """Ask, and read JSON."""
        return self.http.get(f"{API}{path}", params=params).json()

    def open(self) -> list[Any]:
        """All open alerts."""
        return list(self.world.alerts.store.alerts(AlertFilter(statuses=tuple(OPEN)), limit=100))


async def _run(query: Callable[[Any], Any], *, deadline_s: float) -> Any:
    del deadline_s
    return query(None)


@pytest.fixture
def client(tmp_path: Path, standing_server: Callable[[Any], httpx.Client]) -> Client:
    """Return a client of the API."""
    return Client(World(tmp_path), standing_server)


def slow(**more: Any) -> dict[str, Any]:
    """An alert as Prometheus posts it."""
    return {
        "labels": {"alertname": "Slow", "service": "shop", "severity": "page", "empty": ""},
        "annotations": {"summary": "It is slow", "runbook_url": "https://runbooks/slow"},
        "startsAt": "2026-01-05T07:59:00Z",
        "endsAt": "2026-01-05T08:04:00Z",
        "generatorURL": "http://prometheus/graph",
        **more,
    }


def test_an_alert_lasts_as_long_as_it_is_posted(client: Client) -> None:
    """It is raised once, goes on while it is posted, ends when nobody does, and is another one afterwards."""
    world = client.world
    for _ in range(3):
        assert client.post("/alerts", [slow()]).status_code == 200
    (alert,) = client.open()
    assert (alert.title, alert.severity, alert.source, alert.runbook, alert.count) == (
        "It is slow",
        Severity.CRITICAL,
        "alertmanager",
        "https://runbooks/slow",
        1,
    )
    assert client.get("/alerts") == [
        {
            "labels": {"alertname": "Slow", "service": "shop", "severity": "page", "source": "alertmanager"},
            "annotations": slow()["annotations"],
            "startsAt": "2026-01-05T07:59:00.000000000Z",
            "updatedAt": "2026-01-05T08:00:00.000000000Z",
            "endsAt": "2026-01-05T08:04:00.000000000Z",
            "generatorURL": "http://prometheus/graph",
            "fingerprint": alert.fingerprint,
            "receivers": [{"name": "mail"}],
            "status": {"state": "active", "silencedBy": [], "inhibitedBy": []},
        }
    ]
    world.now_ns += 3 * MINUTE_NS
    client.post("/alerts", [slow(endsAt="2026-01-05T08:07:00Z")])
    world.now_ns += 3 * MINUTE_NS
    client.posted.step()
    assert [each.id for each in client.open()] == [alert.id]
    world.now_ns += MINUTE_NS
    client.posted.step()
    assert client.open() == []
    assert world.alerts.store.history(alert.id)[-1].text == "its client no longer sends it"
    client.post("/alerts", [slow(endsAt=None), slow(labels={"alertname": "Gone"}, endsAt="2026-01-05T08:01:00Z")])
    (again,) = client.open()
    assert again.id != alert.id
    client.post("/alerts", [slow(endsAt="2026-01-05T08:06:59Z")])
    assert client.open() == []


def test_an_alert_without_a_name_is_called_by_its_labels(client: Client) -> None:
    """Where neither a summary nor a name says what it is, its labels do: four of them, on one line, never too long."""
    many = {"service": "shop", "host": "db\n1", "a": "x" * 200, "severity": "page"}
    for labels in ({"service": "shop", "host": "db\n1", "severity": "page"}, many, {"severity": "page"}):
        assert client.post("/alerts", [slow(labels=labels, annotations={})]).status_code == 200
    titles = sorted(alert.title for alert in client.open())
    assert titles == ["Alert", f"a={'x' * 117}…", "host=db 1, service=shop"]


def test_what_a_person_ended_stays_so_and_a_restart_forgets_nothing(client: Client) -> None:
    """An alert that somebody resolved is not raised again by the same posts; open ones end after a restart too."""
    world = client.world
    posted = Posted(labels={"alertname": "Slow"})
    client.posted.post([posted, Posted(labels={"alertname": "Other"})])
    by_hand = world.alerts.create(NewAlert(title="By hand", source="alertmanager"), "ann")
    by_name = {alert.title: alert for alert in client.open()}
    world.alerts.resolve(by_name["Slow"].id, "ann")
    client.posted.post([posted])
    assert {alert.title for alert in client.open()} == {"Other", "By hand"}
    restarted = PostedAlerts(world.alerts, world.clock_ns)
    world.now_ns += 4 * MINUTE_NS
    restarted.step()
    assert len(client.open()) == 2
    world.now_ns += MINUTE_NS
    restarted.step()
    assert [alert.id for alert in client.open()] == [by_hand.id]
    assert world.alerts.store.alert(by_name["Other"].id).status is Status.RESOLVED


def test_more_alerts_than_are_kept_are_refused(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client whose labels never are the same twice is told so before the disk is full, and old ones still end."""
    monkeypatch.setattr("spanglass_server.alerting.posted.MOST_OPEN", 1)
    assert client.post("/alerts", [slow()]).status_code == 200
    refused = client.post("/alerts", [slow(labels={"alertname": "Other"})])
    assert (refused.status_code, "more than 1 alerts" in refused.json()) == (400, True)
    assert client.post("/alerts", [slow(endsAt="2026-01-05T08:00:00Z")]).status_code == 200
    assert client.open() == []


def test_alerts_of_rules_are_shown_filtered_and_grouped(client: Client) -> None:
    """All open alerts are there, with what hides them; filters are matchers, receivers, and what mutes."""
    world = client.world
    alert = world.alerts.create(NewAlert(title="Disk", severity=Severity.ERROR, labels={"host": "h1"}), "test")
    client.post("/alerts", [slow()])
    silence = {
        "matchers": [{"name": "service", "value": "shop", "isRegex": False, "isEqual": True}],
        "startsAt": "2020-01-01T00:00:00Z",
        "endsAt": "2026-01-05T09:00:00Z",
        "createdBy": "ann",
        "comment": "",
    }
    made = client.post("/silences", silence).json()["silenceID"]
    disk, other = client.get("/alerts")
    assert (disk["annotations"], disk["generatorURL"].endswith(f"/alerts/{alert.id}")) == ({"summary": "Disk"}, True)
    assert other["status"] == {"state": "suppressed", "silencedBy": [made], "inhibitedBy": []}
    assert client.get("/alerts", silenced="false") == [disk]
    assert client.get("/alerts", active="false") == [other]
    assert client.get("/alerts", filter=['severity=~"err.*"', "host!=h2"]) == [disk]
    assert client.get("/alerts", receiver="ma") == []
    assert [(group["labels"], group["receiver"], len(group["alerts"])) for group in client.get("/alerts/groups")] == [
        ({}, {"name": "mail"}, 1),
        ({}, {"name": "mail"}, 1),
    ]
    found = client.get("/silences", filter='service="shop"')
    assert found == client.get("/silences") == [client.get(f"/silence/{made}")]
    assert (found[0]["status"], found[0]["startsAt"], found[0]["comment"]) == (
        {"state": "active"},
        "2026-01-05T08:00:00.000000000Z",
        "no comment",
    )
    assert client.get("/silences", filter='service="cart"') == []
    assert client.post("/silences", {**silence, "id": made, "endsAt": "2026-01-05T10:00:00Z"}).json() == {
        "silenceID": made
    }
    assert client.http.delete(f"{API}/silence/{made}").status_code == 200
    assert client.get(f"/silence/{made}")["status"] == {"state": "expired"}


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("/alerts", {}, 400, "the body is no list of alerts"),
        ("/alerts", [{"labels": {"a": ""}}], 400, "[0].labels: at least one label"),
        ("/alerts", [slow(), slow(labels={"a": 1})], 400, "[1].labels: expected an object of texts"),
        ("/alerts", [slow(endsAt="soon")], 400, "[0].endsAt: 'soon' is not a time"),
        ("/alerts", [slow(startsAt="2026-02-01T00:00:00Z")], 400, "[0].endsAt: the end is before the start"),
        ("/silences", {"matchers": []}, 400, "matchers: at least one matcher is needed"),
        ("/silences", {"matchers": [{"name": "a", "value": "(", "isRegex": True}]}, 400, "no regular expression"),
        ("/silences", {"matchers": [{"name": "a", "value": ""}]}, 400, "they match every alert"),
        ("/silences", {"matchers": [{"name": "a", "value": "b"}], "id": "x"}, 404, "there is no silence x"),
        ("/silence/x", {}, 405, "POST is not served here, but DELETE and GET"),
        ("/nothing", {}, 404, "there is nothing at /alertmanager/api/v2/nothing"),
    ],
)
def test_what_is_wrong_is_a_text_that_says_so(client: Client, path: str, body: Any, status: int, said: str) -> None:
    """Nothing of a wrong post is taken, and the answer is a JSON string that names the place."""
    answer = client.post(path, body)
    assert (answer.status_code, said in answer.json()) == (status, True), answer.text
    assert client.open() == []


def test_tokens_and_media_types_are_asked_for(client: Client) -> None:
    """Every path asks for the read token, and a body of another type, as a page could send it, is not read."""
    assert client.http.get("/alertmanager/-/ready").status_code == 200
    assert client.http.post(f"{API}/alerts", content="[]").status_code == 415
    client.is_allowed = False
    for path in (f"{API}/alerts", f"{API}/nothing", "/alertmanager/-/ready"):
        assert client.http.get(path).status_code == 401


@pytest.mark.skipif(shutil.which("amtool") is None, reason="needs amtool (Debian: apt install prometheus-alertmanager)")
def test_amtool_works(client: Client) -> None:
    """Debian's amtool adds and queries alerts, silences them, changes and ends silences, and tests routes."""

    def amtool(*words: str) -> str:
        url = f"--alertmanager.url={client.http.base_url}/alertmanager".replace("//alertmanager", "/alertmanager")
        done = subprocess.run(
            ["amtool", url, "-o", "json", *words], capture_output=True, text=True, timeout=60, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    client.world.now_ns = time.time_ns() + MINUTE_NS  # amtool has the clock of this machine
    end = "2100-01-01T00:00:00Z"
    amtool("alert", "add", "Slow", "service=shop", "--annotation=summary=It is slow", f"--end={end}")
    (alert,) = json.loads(amtool("alert", "query", "service=shop"))
    assert (alert["labels"]["alertname"], alert["annotations"]) == ("Slow", {"summary": "It is slow"})
    made = amtool("silence", "add", "service=~sh.*", "--comment=deploy", "--author=ann", f"--end={end}").strip(' "\n')
    (silence,) = json.loads(amtool("silence", "query", 'service="sh.*"'))
    assert (silence["id"], silence["createdBy"], silence["matchers"][0]["isRegex"]) == (made, "ann", True)
    assert json.loads(amtool("alert", "query", "--silenced"))[0]["status"]["silencedBy"] == [made]
    amtool("silence", "update", made, "--comment=longer")
    assert json.loads(amtool("silence", "query"))[0]["comment"] == "longer"
    amtool("silence", "expire", made)
    assert client.world.store.silences()[0].ends_ns == client.world.now_ns
    assert amtool("config", "routes", "test", "service=shop") == "mail\n"
