"""The routes about health: the whole, components, checks, history, and the URLs of heartbeats."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from starlette.applications import Starlette

sys.path.insert(0, str(Path(__file__).parents[1]))

from described_answers import described_by
from made_health import MadeHealth

from spanglass_server.api.factory import create_api
from spanglass_server.api.health.heartbeats import heartbeat_routes
from spanglass_server.api.health.routes import health_routes
from spanglass_server.api.health.shown import target_of
from spanglass_server.health.check import Check, Heartbeat
from spanglass_server.health.model import Change, Status, check_subject

S = 10**9


class NoTables:
    """A query engine without anything stored."""

    async def run(self, query, *, deadline_s):
        """Ask nothing."""
        del deadline_s
        return query(None)


@pytest.fixture
def health(tmp_path):
    """A made-up server's health."""
    made = MadeHealth(tmp_path / "health")
    yield made
    made.close()


@pytest.fixture
def client(health, standing_server):
    """Ask over HTTP; answers have their schemas, but for the status of one that tells by its code."""
    routes = health_routes(health.desk)
    api = create_api(
        routes, engine=NoTables(), clock_ns=lambda: 2000 * S, authorize=lambda _: None, deadline_s=5, version="1"
    )
    made = standing_server(Starlette(routes=[*api, *heartbeat_routes(health.desk, lambda: 2000 * S)]))
    described = described_by(routes)
    made.event_hooks = {"response": [described]}
    return made


def test_the_whole_tells_by_its_code(health, client):
    """200 while it works, also when it works badly; 503 with the reasons while something critical does not."""
    health.say("shop", Status.HEALTHY)
    health.say("nightly", Status.UNHEALTHY, "it was never called")
    answer = client.get("/api/monitoring/status/")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    health.say("shop", Status.UNHEALTHY, "connection refused")
    answer = client.get("/api/monitoring/status/")
    assert (answer.status_code, answer.json()["score"] <= 49) == (503, True)
    assert [(reason["name"], reason["text"]) for reason in answer.json()["reasons"]] == [
        ("Shop", "connection refused"),
        ("Nightly", "it was never called"),
    ]
    whole = client.get("/api/monitoring/health/").json()
    assert whole == client.get("/api/v1/health").json()
    assert [component["uid"] for component in whole["components"]] == [
        *("api-shop", "task-nightly", "database-orders", whole["components"][3]["uid"])
    ]
    assert client.get("/api/v1/components/api-shop").json() == whole["components"][0]
    missing = client.get("/api/v1/components/api-shopp").json()["error"]
    assert (missing["code"], missing["hint"]) == ("not_found", "did you mean 'api-shop'?")


def test_checks_are_listed_and_shown(health, client):
    """Checks of the server and of applications, one with its runs; no secret is told."""
    health.say("shop", Status.HEALTHY, "status 200")
    found = client.get("/api/v1/checks").json()
    assert [(check["uid"], check["status"], check["target"]) for check in found["checks"]] == [
        ("app-cart-database-1", "healthy", ""),
        ("nightly", "unknown", "cron 0 3 * * *"),
        ("orders", "unknown", "postgresql://shop@db/orders"),
        ("shop", "healthy", "https://shop.example.com/health"),
    ]
    beat = Check(uid="backup", name="Backup", heartbeat=Heartbeat(every_ns=3600 * S))
    assert target_of(beat) == "called every 1h"
    shop = client.get("/api/v1/checks/shop").json()
    assert (shop["editable"], shop["next_time"], shop["runs"][0]["latency_ns"]) == (
        False,
        "1970-01-01T00:33:50.000000000Z",
        5 * 10**6,
    )
    assert shop["check"]["http"]["url"] == "https://shop.example.com/health"
    assert "hunter2" not in client.get("/api/v1/checks/orders").text
    assert client.get("/api/v1/checks/app-cart-database-1").json()["check"] is None
    assert client.get("/api/v1/checks/sop").json()["error"]["hint"] == "did you mean 'shop'?"


def test_checks_are_made_changed_and_deleted(client):
    """A kept check has versions; who was slower is told; what stands in the settings file is not changed here."""
    new = {"name": "Mail", "tcp": "mail.example.com:25"}
    made = client.post("/api/v1/checks", json={"check": new, "by": "ann"})
    assert (made.status_code, made.json()["uid"]) == (201, "mail")
    assert client.post("/api/v1/checks", json={"check": new}).status_code == 409
    version = made.json()["version"]
    changed = {**made.json()["check"], "interval": "1m"}
    answer = client.put("/api/v1/checks/mail", json={"check": changed, "version": version})
    assert answer.json()["check"]["interval"] == "1m"
    assert client.put("/api/v1/checks/mail", json={"check": changed, "version": version}).status_code == 409
    assert [old["version"] for old in client.get("/api/v1/checks/mail/versions").json()["versions"]] == [version]
    assert client.put("/api/v1/checks/shop", json={"check": new, "version": "x"}).status_code == 403
    assert client.delete("/api/v1/checks/mail", params={"version": version}).status_code == 409
    assert client.delete("/api/v1/checks/mail", params={"version": answer.json()["version"]}).status_code == 200
    assert client.get("/api/v1/checks/mail").status_code == 404


@pytest.mark.parametrize(
    ("body", "status", "field", "words"),
    [
        ({"check": {"name": "a", "http": "ftp://x/"}}, 400, "check.http.url", "is no URL of https or http"),
        ({"check": {"name": "a", "htpp": "https://x/"}}, 400, "check.htpp", "unknown key 'htpp'"),
        ({"yaml": "name: a\ntcp: x"}, 400, "check.tcp.address", "line 2: 'x' is no address with a port"),
        ({"yaml": "checks: []"}, 400, "yaml", "the text holds 0 checks"),
        ({}, 400, "check", "the check is missing"),
        ({"check": {"name": "a", "command": "/bin/true"}}, 403, "check.command", "settings file alone"),
        ({"check": {"name": "a", "redis": {"address": "r", "password": "x"}}}, 403, "check.redis.password", "secrets"),
    ],
)
def test_what_is_wrong_is_named(client, body, status, field, words):
    """A check that can't be kept, or may not be, is refused by its field."""
    answer = client.post("/api/v1/checks", json=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["field"], words in error["message"]) == (status, field, True), error


def test_checks_are_tried(health, client):
    """One that is typed is run once, by itself and without trust; so is one that stands, with that of its file."""
    assert client.post("/api/v1/checks/try", json={"check": {"name": "a", "tcp": "x:1"}}).json()["status"] == "healthy"
    assert client.post("/api/v1/checks/shop/run", json={}).json()["detail"] == "status 200"
    assert health.runner.tried == [("a", False), ("shop", True)]
    assert client.post("/api/v1/checks/nightly/run", json={}).status_code == 409
    assert client.post("/api/v1/checks/app-cart-database-1/run", json={}).status_code == 409
    told = client.post("/api/v1/checks/check", json={"yaml": "checks: [{name: a, tcp: 'x:1'}, {name: b}]"}).json()
    assert ([check["uid"] for check in told["checks"]], len(told["problems"])) == (["a"], 1)


def test_history_and_uptime(health, client):
    """Changes come page by page, the newest first; uptime over a range, and by step."""
    told = [(1000, Status.HEALTHY), (1500, Status.UNHEALTHY), (1600, Status.HEALTHY)]
    before = [Status.UNKNOWN, *(status for _, status in told)]
    health.store.save(
        [],
        [
            Change(subject=check_subject("shop"), time_ns=time_s * S, status=status, previous=previous, detail="x")
            for (time_s, status), previous in zip(told, before, strict=False)
        ],
    )
    page = client.get("/api/v1/checks/shop/changes", params={"limit": 2}).json()
    rest = client.get("/api/v1/checks/shop/changes", params={"limit": 2, "cursor": page["next_cursor"]}).json()
    assert [change["status"] for change in (*page["changes"], *rest["changes"])] == ["healthy", "unhealthy", "healthy"]
    assert rest["next_cursor"] is None
    assert client.get("/api/v1/health/changes").json()["changes"][0]["subject"] == "check/shop"
    uptime = client.get("/api/v1/checks/shop/uptime", params={"start": "1000", "end": "2000", "step": "500s"}).json()
    assert (uptime["share"], uptime["down_ns"], len(uptime["outages"])) == (pytest.approx(0.9), 100 * S, 1)
    assert [day["uptime"] for day in uptime["days"]] == [1.0, pytest.approx(0.8)]
    many = client.get("/api/v1/components/x/uptime", params={"last": "1h", "step": "1s"})
    assert (many.status_code, many.json()["error"]["field"]) == (400, "step")


def test_heartbeats_are_called(health, client):
    """Any method calls; what a job says is kept; a guess, or another path, finds nothing."""
    path = health.desk.heartbeat_path("nightly")
    assert client.get("/api/v1/checks/nightly").json()["heartbeat_path"] == path
    assert client.get(path).text == "OK\n"
    assert client.post(f"{path}/start").status_code == 200
    assert client.post(f"{path}/3", content=b"disk\n\x1b\0full").status_code == 200
    assert client.head(f"{path}/0").status_code == 200
    assert [(uid, call.kind, call.text) for uid, call in health.runner.calls] == [
        ("nightly", "ok", ""),
        ("nightly", "start", ""),
        ("nightly", "fail", "exit code 3: disk full"),
        ("nightly", "ok", ""),
    ]
    assert [client.get(each).status_code for each in ("/heartbeat/guessed", f"{path}/256", f"{path}/nonsense")] == [
        404
    ] * 3
    assert [call["kind"] for call in client.get("/api/v1/checks/nightly").json()["calls"]] == [
        "ok",
        "fail",
        "start",
        "ok",
    ]
