"""The client over a real socket, against a server whose answers are written by hand."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from spanglass.client import (
    AccessError,
    AnswerError,
    AsyncMonitoringClient,
    ConflictError,
    MonitoringClient,
    NotFoundError,
    RequestError,
    Retrying,
    ServerError,
    Threshold,
    UnreachableError,
)
from spanglass.client.answers import time_of
from spanglass.errors import MonitorError

ALERT = {
    "id": "5f0c",
    "alert_type": "checkout-errors",
    "title": "errors of checkout",
    "severity": "critical",
    "status": "resolved",
    "possible": [],
    "created_at": "2026-11-29T10:00:00.123456789Z",
    "updated_at": "2026-11-29T10:05:00.000000000Z",
    "resolved_at": None,
    "details": {"key": {"service_name": "checkout"}, "labels": {"team": "shop"}},
    "from_the_future": 1,
}
CONFLICT = {"error": {"code": "conflict", "message": "an alert that is resolved can't become resolved"}}
AT_ONCE = Retrying(attempts=4, first_s=0.0, longest_s=0.0)


@dataclass
class Server:
    """Answers in the order given, the last one again and again; ``None`` hangs up. What was asked is kept."""

    url: str = ""
    answers: list = field(default_factory=list)
    asked: list = field(default_factory=list)

    def say(self, *answers):
        """Give these answers, each a status and a body, from now on."""
        self.answers, self.asked = list(answers), []

    def take(self):
        """Return the next answer."""
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture(scope="module")
def server():
    """Listen on a free port of this machine."""
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            token = self.headers.get("Authorization")
            state.asked.append((self.command, self.path, json.loads(body) if body else None, token))
            answer = state.take()
            if answer is None:
                self.close_connection = True
                return
            status, content, *headers = answer
            raw = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(raw)), **(headers[0] if headers else {})}.items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(ConnectionError):  # the client that was not waited for is gone
                self.wfile.write(raw)

        do_GET = do_POST = do_PUT = _answer  # noqa: N815 - names that http.server looks for

        def log_message(self, *_arguments):
            """Keep the test's output clean."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{listening.server_port}"
    thread = threading.Thread(target=listening.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield state
    listening.shutdown()
    listening.server_close()
    thread.join()


@pytest.fixture(params=["sync", "async"])
def call(request, server):
    """Make one call with the client that waits, or with the one that is awaited."""

    def sync(name, *arguments, retrying=AT_ONCE, **named):
        with MonitoringClient(server.url, "secret", by="ann", retrying=retrying) as client:
            return getattr(client, name)(*arguments, **named)

    def awaited(name, *arguments, retrying=AT_ONCE, **named):
        async def run():
            async with AsyncMonitoringClient(server.url, "secret", by="ann", retrying=retrying) as client:
                return await getattr(client, name)(*arguments, **named)

        return asyncio.run(run())

    return sync if request.param == "sync" else awaited


LISTED = {"alerts": [ALERT], "total": 1, "counts": {"status": {"active": 0}, "severity": {}}, "next_cursor": None}
THRESHOLDS = {"thresholds": [{"id": "r", "rule": "r", "metric_type": "error_rate", "warning_threshold": 0.1}]}
INCIDENT = {
    "id": "INC-7", "title": "Payments fail", "severity": "error", "status": "acknowledged", "services": ["pay"],
    "started_at": "2026-11-29T10:00:00.5Z", "opened_at": "2026-11-29T10:01:00Z", "updated_at": "2026-11-29T10:01:00Z",
    "recovered_at": None, "durations": {"recover": None}, "timeline": [{"kind": "opened"}], "more": 1,
}  # fmt: skip
CHECK = {"uid": "shop", "name": "Shop", "kind": "http", "status": "healthy", "runs": []}
COMPONENT = {"uid": "api-shop", "name": "Shop", "area": "api", "status": "healthy", "checks": ["shop"]}
HEALTH = {"status": "healthy", "score": 100, "since_time": None, "reasons": [], "components": [COMPONENT]}
INCIDENTS = {"incidents": [INCIDENT], "total": 1, "counts": {"status": {"open": 0}, "severity": {}}, "version": 3}
STATUS = {"version": "1", "ready": True, "health": None, "uptime_s": 5.5, "alerting": {"firing": 1}, "more": []}
CHANGE = {"warning_threshold": 0.1, "critical_threshold": None}


@pytest.mark.parametrize(
    ("name", "arguments", "said", "asked"),
    [
        (
            "get_metrics",
            ("cpu", {"last": "1h", "host": None, "limit": 5}),
            {"metrics": [], "next_cursor": "c"},
            ("GET", "/api/monitoring/metrics/cpu/?last=1h&limit=5", None),
        ),
        (
            "get_alerts",
            ({"status": ["active", "acknowledged"], "labels": {"team": "shop"}},),
            LISTED,
            ("GET", "/api/monitoring/alerts/?status=active%2Cacknowledged&labels=team%3Dshop", None),
        ),
        ("get_alert", ("a/b",), ALERT, ("GET", "/api/monitoring/alerts/a%2Fb/", None)),
        (
            "create_alert",
            ("disk is full", "error"),
            ALERT,
            ("POST", "/api/monitoring/alerts/", {"title": "disk is full", "severity": "error", "by": "ann"}),
        ),
        (
            "acknowledge_alert",
            ("5f0c",),
            ALERT,
            ("PUT", "/api/monitoring/alerts/5f0c/", {"status": "acknowledged", "by": "ann"}),
        ),
        (
            "resolve_alert",
            ("5f0c",),
            ALERT,
            ("PUT", "/api/monitoring/alerts/5f0c/", {"status": "resolved", "by": "ann"}),
        ),
        (
            "update_thresholds",
            ({"r": CHANGE},),
            THRESHOLDS,
            ("PUT", "/api/monitoring/thresholds/", {"thresholds": {"r": CHANGE}, "by": "ann"}),
        ),
        ("get_thresholds", (), THRESHOLDS, ("GET", "/api/monitoring/thresholds/", None)),
        ("get_system_status", (), STATUS, ("GET", "/api/v1/status", None)),
        (
            "get_incidents",
            ({"status": "live", "severity": ["error", "critical"]},),
            INCIDENTS,
            ("GET", "/api/monitoring/incidents/?status=live&severity=error%2Ccritical", None),
        ),
        ("get_incident", ("INC-7",), INCIDENT, ("GET", "/api/monitoring/incidents/INC-7/", None)),
        (
            "acknowledge_incident",
            ("INC-7",),
            INCIDENT,
            ("PUT", "/api/monitoring/incidents/INC-7/", {"status": "acknowledged", "by": "ann"}),
        ),
        (
            "resolve_incident",
            ("INC-7",),
            INCIDENT,
            ("PUT", "/api/monitoring/incidents/INC-7/", {"status": "resolved", "by": "ann"}),
        ),
        ("change_incident", ("INC-7",), INCIDENT, ("PUT", "/api/monitoring/incidents/INC-7/", {"by": "ann"})),
        ("get_health", (), HEALTH, ("GET", "/api/monitoring/health/", None)),
        ("get_checks", (), {"checks": [CHECK]}, ("GET", "/api/v1/checks", None)),
        ("get_check", ("shop/1",), CHECK, ("GET", "/api/v1/checks/shop%2F1", None)),
        ("get_postmortem", ("INC-7",), {"text": "# x"}, ("GET", "/api/monitoring/incidents/INC-7/postmortem/", None)),
        ("get_incident_report", ({"last": "7d"},), {}, ("GET", "/api/monitoring/incident-report/?last=7d", None)),
    ],
)
def test_each_call_asks_its_route_and_a_503_that_goes_away_is_not_seen(call, server, name, arguments, said, asked):
    """Two answers of 503 and a connection that is closed are tried again, and the same request is sent each time."""
    server.say((503, {"error": {"code": "unavailable", "message": "starting"}}), None, (503, b"<html>"), (200, said))

    found = call(name, *arguments)

    assert server.asked == [(*asked, "Bearer secret")] * 4
    assert found is not None


def test_answers_are_typed(call, server):
    """Times are datetimes in UTC, members that a newer server adds do no harm, what is missing has its default."""
    server.say((200, LISTED))
    found = call("get_alerts")
    (alert,) = found.alerts
    assert alert.created_at == datetime(2026, 11, 29, 10, 0, 0, 123456, UTC)
    assert (alert.severity, alert.status, alert.resolved_at, alert.count) == ("critical", "resolved", None, 1)
    assert alert.labels == {"service_name": "checkout", "team": "shop"}
    assert alert.raw["from_the_future"] == 1
    assert (found.total, found.counts.status) == (1, {"active": 0})

    server.say((200, THRESHOLDS))
    (threshold,) = call("update_thresholds", {"r": Threshold(id="r", rule="r", metric_type="x", duration=60)})
    assert (threshold.warning_threshold, threshold.critical_threshold, threshold.enabled) == (0.1, None, True)
    (change,) = server.asked[0][2]["thresholds"].values()
    assert change == dict.fromkeys(CHANGE) | {
        "error_threshold": None,
        "recovery_threshold": None,
        "duration": 60,
        "enabled": True,
    }

    server.say((200, STATUS))
    assert call("get_system_status").alerting == {"firing": 1}
    assert time_of("2026-11-29T10:00:00Z") == datetime(2026, 11, 29, 10, tzinfo=UTC)


@pytest.mark.parametrize(("name", "arguments"), [("open_incident", ("Down",)), ("note_incident", ("INC-7", "hm"))])
def test_what_would_be_done_twice_has_one_attempt(call, server, name, arguments):
    """An incident is opened, and a note written, once: after an error the caller decides; the answer is typed."""
    server.say((503, {"error": {"code": "unavailable", "message": "starting"}}), (200, INCIDENT))
    with pytest.raises(ServerError):
        call(name, *arguments)
    assert len(server.asked) == 1

    incident = call(name, *arguments)
    assert (incident.services, incident.started_at) == (("pay",), datetime(2026, 11, 29, 10, 0, 0, 500_000, tzinfo=UTC))
    assert incident.raw["more"] == 1


@pytest.mark.parametrize(
    ("status", "kind", "attempts"),
    [
        (400, RequestError, 1),
        (401, AccessError, 1),
        (403, AccessError, 1),
        (404, NotFoundError, 1),
        (409, ConflictError, 1),
        (412, ConflictError, 1),
        (429, ServerError, 4),
        (500, ServerError, 4),
        (501, ServerError, 1),
        (504, ServerError, 4),
        (507, ServerError, 1),
    ],
)
def test_errors_have_a_class_for_what_the_caller_does(call, server, status, kind, attempts):
    """Of the server's passing errors all attempts are made, of the caller's one; the error says field and hint."""
    described = {"code": "c", "message": "no such word", "field": "status", "expected": ["active"], "hint": "do this"}
    server.say((status, {"error": described}))

    with pytest.raises(kind) as raised:
        call("get_alerts")

    assert len(server.asked) == attempts
    assert str(raised.value) == "status: no such word; expected active; do this"
    assert issubclass(AnswerError, MonitorError)
    assert (raised.value.status, raised.value.code, raised.value.field) == (status, "c", "status")


def test_an_answer_that_is_no_json_is_told(call, server):
    """Of another server, and of a proxy whose errors are HTML."""
    server.say((200, b"<html>"))
    with pytest.raises(RequestError, match="Spanglass server"):
        call("get_alerts")
    server.say((502, b"<html>"))
    with pytest.raises(ServerError, match="502 Bad Gateway"):
        call("get_alerts")


def test_no_server_is_told_with_its_address(server):
    """After all attempts, each of which waits longer, and at least as long as the server asks for."""
    waits = []
    retrying = Retrying(attempts=3, first_s=0.001, longest_s=0.002, random=lambda: waits.append(1) or 1.0)
    with pytest.raises(UnreachableError, match=r"127\.0\.0\.1:9 can't be reached \(Connection refused\)"):
        MonitoringClient("http://127.0.0.1:9", retrying=retrying).get_system_status()
    assert len(waits) == 2

    error, final = ServerError(503, {}), ConflictError(409, {})
    steady = Retrying(attempts=5, first_s=0.5, longest_s=3.0, random=lambda: 1.0)
    assert [steady.wait_s(error, tried) for tried in range(1, 6)] == [0.5, 1.0, 2.0, 3.0, None]
    assert (steady.wait_s(error, 1, asked_s=2.5), steady.wait_s(error, 1, asked_s=60)) == (2.5, 3.0)
    assert steady.wait_s(final, 1) is None
    del server


def test_a_change_whose_answer_was_lost_is_no_conflict(call, server):
    """The alert was resolved by the first attempt; one that was dismissed by somebody else is a conflict."""
    server.say(None, (409, CONFLICT), (200, ALERT))
    assert call("resolve_alert", "5f0c").status == "resolved"

    server.say(None, (409, CONFLICT), (200, ALERT | {"status": "dismissed"}))
    with pytest.raises(ConflictError):
        call("resolve_alert", "5f0c")
    server.say((409, CONFLICT))
    with pytest.raises(ConflictError):
        call("resolve_alert", "5f0c")
    assert len(server.asked) == 1


def test_a_slow_server_is_left(server):
    """Past ``timeout_s`` the attempt ends, and the message says how to wait longer."""
    held = threading.Event()
    server.say((200, STATUS))
    take, server.take = server.take, lambda: (held.wait(30), take())[1]
    try:
        with pytest.raises(UnreachableError, match=r"within 0\.05 s: raise timeout_s"):
            MonitoringClient(server.url, timeout_s=0.05, retrying=Retrying(attempts=1)).get_system_status()
    finally:
        held.set()
        server.take = take


@pytest.mark.parametrize("url", ["ftp://x", "127.0.0.1:4318", "http://u:p@x", "http://x/?a=1"])
def test_an_address_that_is_none_is_refused_at_once(url):
    """The message shows what an address looks like."""
    with pytest.raises(ValueError, match=r"write it like http://127\.0\.0\.1:4318"):
        MonitoringClient(url)


def test_the_environment_names_server_and_token(server, monkeypatch):
    """As for the command line."""
    monkeypatch.setenv("SPANGLASS_URL", server.url + "/")
    monkeypatch.setenv("SPANGLASS_READ_TOKEN", "from-environment")
    server.say((200, STATUS))
    client = MonitoringClient()
    assert client.get_system_status().ready
    assert (client.url, server.asked[0][3]) == (server.url, "Bearer from-environment")
    client.close()
