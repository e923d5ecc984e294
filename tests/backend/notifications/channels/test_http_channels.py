"""Webhooks, Slack and PagerDuty over real sockets: what they are sent, and what comes of their answers."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from http_sinks import http_sink
from made_channels import channel, context, message, send, sender
from made_for_messages import NOW_NS, alert, notification, resolved
from smtp_sinks import tls_of_server

from spanglass_core.alerting.lifecycle import Status
from spanglass_core.alerting.severity import Severity
from spanglass_server.notifications.channels.kinds import make_sender
from spanglass_server.notifications.model import Outcome, Reason

if TYPE_CHECKING:
    from pathlib import Path

    from http_sinks import Sink

_ONE = notification(alert(), thread="route/db")


def test_a_webhook_is_signed_and_whole():
    """The body is JSON with all of the alert, and its signature over id, time and body can be checked by the secret."""

    async def run() -> tuple[Outcome, Sink]:
        async with http_sink((202, {}, b'{"taken": "hush-hush"}')) as sink:
            written = f"""
            hook: {{type: webhook, url: "{sink.url("/hook")}", secret: whsec_aHVzaC1odXNo, token: hush-hush,
                    headers: {{X-Team: ops}}}}"""
            one = sender(written)
            return await one.send(message(notification=_ONE)), sink

    outcome, sink = asyncio.run(run())
    got = sink.got[0]
    assert outcome == Outcome(sent=True, answer='202 {"taken": "***"}')
    assert (got.method, got.path, got.headers["X-Team"]) == ("POST", "/hook", "ops")
    assert got.headers["Authorization"] == "Bearer hush-hush"
    assert got.headers["Idempotency-Key"] == got.headers["Webhook-Id"] == "n-1"
    signed = f"n-1.{got.headers['Webhook-Timestamp']}.".encode() + got.body
    digest = base64.b64encode(hmac.new(b"hush-hush", signed, hashlib.sha256).digest()).decode()
    assert got.headers["Webhook-Signature"] == f"v1,{digest}"
    assert got.headers["Webhook-Timestamp"] == str(NOW_NS // 10**9)
    body = got.json
    assert {key: body[key] for key in ("version", "id", "thread", "reason", "status", "severity", "channel")} == {
        "version": 1, "id": "n-1", "thread": "route/db", "reason": "firing", "status": "firing",
        "severity": "critical", "channel": "ops",
    }  # fmt: skip
    (told,) = body["alerts"]
    assert told["labels"]["alertname"] == "High error rate"
    assert told["evidence"]["issues"][0]["issue"] == "CHECKOUT-12"
    assert told["link"] == "https://spanglass.example/alerts/a-1"
    assert body["actions"] == [{"label": "Acknowledge", "url": "https://spanglass.example/n/t1"}]


def test_a_webhook_of_alertmanager():
    """Its shape is Alertmanager's, version 4: common labels, the zero time for what goes on, a test as one alert."""
    two = notification(alert(1), resolved(2, labels={"service_name": "checkout", "team": "pay"}), thread="t")

    async def run() -> list[Any]:
        async with http_sink() as sink:
            one = sender(f'hook: {{type: webhook, format: alertmanager, url: "{sink.url()}"}}')
            for each in (two, notification(reason=Reason.TEST)):
                assert (await one.send(message(notification=each))).sent
            return [got.json for got in sink.got]

    body, of_test = asyncio.run(run())
    assert {key: body[key] for key in ("version", "groupKey", "status", "receiver", "truncatedAlerts")} == {
        "version": "4", "groupKey": "t", "status": "firing", "receiver": "ops", "truncatedAlerts": 0,
    }  # fmt: skip
    assert [(each["status"], each["endsAt"][:4], each["labels"]["team"]) for each in body["alerts"]] == [
        ("firing", "0001", "shop"),
        ("resolved", "2025", "pay"),
    ]
    assert "team" not in body["commonLabels"]
    assert body["commonLabels"]["alertname"] == body["groupLabels"].get("alertname", "High error rate")
    assert [each["labels"]["alertname"] for each in of_test["alerts"]] == ["High error rate: <checkout> & more"]


@pytest.mark.parametrize(
    ("status", "headers", "body", "outcome"),
    [
        (503, {"retry-after": "7"}, b"busy", Outcome(
            sent=False, retryable=True, answer="503 busy", error="127.0.0.1 answered 503; it is tried again",
            retry_after_s=7.0)),
        (429, {"retry-after": "Fri, 21 Nov 2025 11:34:30 GMT"}, b"", Outcome(
            sent=False, retryable=True, answer="429", error="127.0.0.1 answered 429; it is tried again",
            retry_after_s=30.0)),
        (429, {"retry-after": "soon"}, b"", Outcome(
            sent=False, retryable=True, answer="429", error="127.0.0.1 answered 429; it is tried again")),
        (400, {}, b"no_text\x00", Outcome(
            sent=False, answer="400 no_text", error="127.0.0.1 refused the message with 400: no_text")),
        (301, {"location": "/there"}, b"", Outcome(
            sent=False, error="127.0.0.1 answers 301: it redirects to 127.0.0.1, where the body would be lost; "
            "give the address that it leads to")),
    ],
)  # fmt: skip
def test_what_answers_mean(status: int, headers: dict[str, str], body: bytes, outcome: Outcome):
    """What may be over later is tried again, when the sink says; what is refused is given up, with the reason."""

    async def run() -> Outcome:
        async with http_sink((status, headers, body)) as sink:
            given = context(clock_ns=lambda: 1_763_724_840 * 10**9)
            return await make_sender(channel(f'hook: {{type: webhook, url: "{sink.url()}"}}'), given).send(message())

    assert asyncio.run(run()) == outcome


def test_a_webhook_of_slack():
    """The message has title, text, buttons and a colour; what would be markup in the title is escaped."""

    async def run() -> tuple[Outcome, Any]:
        async with http_sink() as sink:
            one = sender(f'slack: {{webhook_url: "{sink.url("/services/T/B/hush-hush")}"}}')
            return await one.send(message()), sink.got[0].json

    outcome, body = asyncio.run(run())
    assert outcome == Outcome(sent=True, answer="200 ok")
    assert body["text"] == "*High error rate: &lt;checkout&gt; &amp; more*"
    (attachment,) = body["attachments"]
    assert attachment["color"] == "#c4314b"
    assert [block["type"] for block in attachment["blocks"]] == ["section", "actions"]
    assert [button["url"] for button in attachment["blocks"][1]["elements"]] == [
        "https://spanglass.example/alerts/a-1",
        "https://spanglass.example/n/t1",
    ]


def test_a_bot_of_slack_updates_its_message():
    """The first message of a thread is posted with its chart, then brought up to date, with an answer below it.

    One that is gone is written anew, and so is a thread that was over and fires again.
    """
    posted = (200, {}, orjson.dumps({"ok": True, "channel": "C1", "ts": "17.5"}))
    over = notification(resolved(), reason=Reason.RESOLVED)

    def says(**answer: Any) -> tuple[int, dict[str, str], bytes]:
        return 200, {}, orjson.dumps(answer)

    async def run() -> tuple[list[Outcome], Sink]:
        async with http_sink() as sink:
            place = says(ok=True, upload_url=sink.url("/upload"), file_id="F1")
            sink.answers = [
                posted, place, posted, posted,  # the first, with a chart
                posted, posted,  # new alerts
                posted, posted,  # it is over
                posted,  # it fires again
                says(ok=False, error="message_not_found"), posted,
                says(ok=False, error="not_in_channel"),
                (429, {"retry-after": "3"}, b""),
            ]  # fmt: skip
            one = sender(f'slack: {{bot_token: hush-hush, channel: "#ops", api_url: "{sink.url("/api/")}"}}')
            outcomes = [await one.send(message(chart_png=b"PNG", chart_alt="errors"))]
            outcomes.append(await one.send(message(previous="C1/17.5")))
            outcomes.append(await one.send(message(notification=over, status="resolved", previous="C1/17.5")))
            outcomes.append(await one.send(message(previous="C1/17.5/over")))
            outcomes += [await one.send(message(previous="C1/1.0")) for _ in range(3)]
            return outcomes, sink

    outcomes, sink = asyncio.run(run())
    assert [(each.sent, each.retryable, each.reference) for each in outcomes] == [
        (True, False, "C1/17.5"), (True, False, "C1/17.5"), (True, False, "C1/17.5/over"), (True, False, "C1/17.5"),
        (True, False, "C1/17.5"), (False, False, ""), (False, True, ""),
    ]  # fmt: skip
    assert outcomes[5].error == "Slack refused the message: not_in_channel; invite the bot to the conversation"
    assert outcomes[6].retry_after_s == 3.0
    assert [got.path.removeprefix("/api/") for got in sink.got] == [
        "chat.postMessage", "files.getUploadURLExternal", "/upload", "files.completeUploadExternal",
        "chat.update", "chat.postMessage",
        "chat.update", "chat.postMessage",
        "chat.postMessage",
        "chat.update", "chat.postMessage",
        "chat.update",
        "chat.update",
    ]  # fmt: skip
    assert {got.headers.get("Authorization") for got in sink.got if got.path != "/upload"} == {"Bearer hush-hush"}
    assert "Authorization" not in sink.got[2].headers
    assert [(sink.got[at].json["thread_ts"], sink.got[at].json["reply_broadcast"]) for at in (5, 7)] == [
        ("17.5", True),
        ("17.5", False),
    ]
    assert [sink.got[at].json["attachments"][0]["color"] for at in (4, 6)] == ["#c4314b", "#2e8b57"]


def test_a_bot_of_slack_writes_to_people():
    """Each person gets the message once, whatever becomes of the others; it is not the one that is updated later."""
    told = message(notification=notification(alert(), addresses=("U1", "U2")), previous="C1/17.5")
    done, busy = (200, {}, b'{"ok": true, "channel": "D1", "ts": "9"}'), (503, {}, b"")

    async def run() -> tuple[list[Outcome], list[Any]]:
        async with http_sink(done, busy, done) as sink:
            one = sender(f'slack: {{bot_token: hush-hush, channel: "#ops", api_url: "{sink.url("/api/")}"}}')
            return [await one.send(told), await one.send(told)], [got.json["channel"] for got in sink.got]

    outcomes, channels = asyncio.run(run())
    assert [(each.sent, each.retryable, each.reference) for each in outcomes] == [(False, True, ""), (True, False, "")]
    assert channels == ["U1", "U2", "U2"]


def test_events_of_pagerduty():
    """A thread is one incident there: triggered, acknowledged, resolved under one key; its routing key is not shown."""
    taken = alert(status=Status.ACKNOWLEDGED, acknowledged_by="Kim")

    async def run() -> tuple[list[Outcome], list[Any]]:
        async with http_sink((202, {}, b'{"status":"success"}'), (400, {}, b"bad routing key hush-hush")) as sink:
            sink.answers = [sink.answers[0]] * 3 + sink.answers[1:]
            one = sender(f'pagerduty: {{routing_key: hush-hush, url: "{sink.url()}"}}')
            messages = [
                message(notification=_ONE),
                message(notification=replace(_ONE, id="n-2", alerts=(taken,)), alerts=(taken,)),
                message(notification=replace(_ONE, id="n-3"), status="resolved", severity=Severity.INFO),
                message(notification=_ONE),
            ]
            return [await one.send(each) for each in messages], [got.json for got in sink.got]

    outcomes, bodies = asyncio.run(run())
    assert [body["event_action"] for body in bodies] == ["trigger", "acknowledge", "resolve", "trigger"]
    assert len({body["dedup_key"] for body in bodies}) == 1
    assert bodies[0]["payload"] | {"custom_details": None} == {
        "summary": "High error rate: <checkout> & more", "source": "checkout", "severity": "critical",
        "timestamp": "2025-11-21T11:34:00.000000000Z", "custom_details": None,
    }  # fmt: skip
    assert [each.sent for each in outcomes] == [True, True, True, False]
    assert outcomes[3].error == "127.0.0.1 refused the message with 400: bad routing key ***"


def test_what_pages_make_reaches_no_inside(monkeypatch: pytest.MonkeyPatch):
    """A channel of the settings file may name a host inside; the same made in pages may not, and nothing is sent."""
    monkeypatch.setenv("HOOK", "hush-hush")

    async def run() -> None:
        async with http_sink() as sink:
            for written in (
                f'hook: {{type: webhook, url: "{sink.url("/hush-hush")}"}}',
                f'slack: {{webhook_url: "{sink.url("/hush-hush")}"}}',
                f'pagerduty: {{routing_key: hush-hush, url: "{sink.url()}"}}',
                f'email: {{smtp_server: "127.0.0.1:{sink.port}", from: a@example.com, to: b@example.com}}',
            ):
                made = replace(channel(written), origin="kept")
                outcome = await make_sender(made, context()).send(message())
                assert not outcome.sent
                assert not outcome.retryable
                assert outcome.error.startswith("127.0.0.1 is a loopback address, to which nothing is sent")
                assert "hush" not in repr(made) + repr(outcome)
            assert sink.got == []

    asyncio.run(run())


def test_certificates_of_sinks(certificate: Path):
    """A sink is known by the certificates that its channel names; one that is not known gets nothing, unless it may."""

    async def run() -> None:
        async with http_sink(tls=tls_of_server(certificate)) as sink:
            for options, problem in (
                (f"ca_file: {certificate}", ""),
                ("verify: false", ""),
                ("verify: true", "its certificate is not accepted: self-signed certificate"),
                (f"ca_file: {certificate}.none", "of certificates can't be used: No such file or directory"),
            ):
                one = sender(f'hook: {{type: webhook, url: "{sink.url()}", {options}}}')
                outcome = await one.send(message())
                assert (outcome.sent, problem in outcome.error) == (not problem, True)
            assert len(sink.got) == 2

    asyncio.run(run())


def test_a_secret_that_is_missing():
    """A secret that can't be read now is told by the name of its place, and may be there at the next attempt."""
    (outcome,) = send(sender("hook: {type: webhook, url: {env: NO_SUCH_HOOK}}"), message())
    assert outcome == Outcome(
        sent=False,
        retryable=True,
        error="the variable NO_SUCH_HOOK is not set in the server's environment: set it, and start it again",
    )
