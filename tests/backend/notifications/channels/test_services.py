"""Services through apprise, text messages and commands: real processes, real sockets."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import pytest
from http_sinks import http_sink
from made_channels import channel, context, message, sender
from made_for_messages import alert, notification

from spanglass_server.egress.egress import Egress
from spanglass_server.notifications.channels.kinds import make_sender
from spanglass_server.notifications.channels.services.sender import ServiceSender
from spanglass_server.notifications.model import Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from spanglass_server.notifications.model import Channel


def _service(one: Any) -> ServiceSender:
    assert isinstance(one, ServiceSender)
    return one


async def _told(made: Channel) -> Outcome:
    """What comes of one message over a channel."""
    one = make_sender(made, context())
    try:
        return await one.send(message())
    finally:
        await one.close()


def test_a_service_is_told_in_a_process():
    """Text and title arrive with the token of the service; what it refuses is told without secrets, and given up.

    One process tells messages that come one after the other, and it ends with its channel.
    """

    async def run() -> None:
        async with http_sink((200, {}, b"{}"), (403, {}, b'{"error": "no tk_hush-hush"}'), (503, {}, b"{}")) as sink:
            one = _service(sender(f'ntfy: {{url: "{sink.url("/alerts")}", token: tk_hush-hush}}'))
            taken, refused, busy = [await one.send(message(chart_png=b"PNG")) for _ in range(3)]
            (process,) = one._workers._idle
            await one.close()
            assert process.returncode is not None
            assert taken == Outcome(sent=True, answer="the service took it")
            assert {got.headers["Authorization"] for got in sink.got} == {"Bearer tk_hush-hush"}
            first = sink.got[0]
            assert (first.body, first.headers["User-Agent"], "X-Icon" in first.headers) == (b"PNG", "Spanglass", False)
            told = dict(parse_qsl(first.path.partition("?")[2]))
            assert (told["title"], told["message"]) == (message().title, message().text)
            assert (refused.sent, refused.retryable, busy.retryable) == (False, False, True)
            assert "hush" not in repr((refused, busy))

    asyncio.run(run())


def test_a_service_that_hangs(monkeypatch: pytest.MonkeyPatch):
    """It costs its time, and the process that waits for it is ended."""
    monkeypatch.setattr("spanglass_server.notifications.channels.services.sender._TIMEOUT_S", 1.0)

    async def hang(_: Any) -> Any:
        await asyncio.Event().wait()

    async def run() -> None:
        async with http_sink() as sink:
            sink.handler = hang
            one = _service(sender(f'ntfy: {{url: "{sink.url("/alerts")}"}}'))
            outcome = await one.send(message())
            assert outcome == Outcome(sent=False, retryable=True, error="the service did not answer within 1 s")
            assert one._workers._idle == []

    asyncio.run(run())


def test_the_guard_of_the_process():
    """Where a channel is not trusted with a host inside, apprise reaches it by no address, name or redirect."""

    async def run() -> None:
        async with http_sink((307, {"location": "http://10.0.0.1/"}, b"")) as sink:
            trusted = channel(f'ntfy: {{url: "{sink.url("/alerts")}"}}')
            redirected = await _told(trusted)
            assert (redirected.sent, len(sink.got)) == (False, 1)

            kept = await _told(replace(trusted, origin="kept"))
            assert (kept.sent, kept.retryable) == (False, False)
            assert kept.error.startswith("127.0.0.1 is a loopback address, to which nothing is sent")
            named = channel(f'ntfy: {{url: "http://localhost:{sink.port}/alerts"}}')
            assert "loopback address" in (await _told(replace(named, origin="kept"))).error
            assert len(sink.got) == 1

    asyncio.run(run())


def test_services_behind_a_proxy():
    """With a proxy of the settings all goes there; what leads inside is refused all the same."""

    async def run() -> None:
        async with http_sink((200, {}, b"{}")) as proxy:
            given = context(egress=Egress(proxy=proxy.url("")))
            far = make_sender(channel('ntfy: {url: "http://far.invalid/alerts"}'), given)
            assert (await far.send(message())).sent
            assert [got.headers["Host"] for got in proxy.got] == ["far.invalid"]
            await far.close()
            kept = replace(channel('ntfy: {url: "http://10.0.0.1/alerts"}'), origin="kept")
            near = make_sender(kept, given)
            assert "a private address" in (await near.send(message())).error
            await near.close()
            assert len(proxy.got) == 1

    asyncio.run(run())


def test_services_that_are_not_allowed(monkeypatch: pytest.MonkeyPatch):
    """A URL that comes from the environment is no way round the list of services: the process looks at it, too."""
    monkeypatch.setenv("SERVICE_URL", "json://127.0.0.1/hush-hush")
    assert asyncio.run(_told(channel("any: {type: service, url: {env: SERVICE_URL}}"))) == Outcome(
        sent=False, error="the address is none of a service that may be used; look at the documentation"
    )


def test_text_messages():
    """Each recipient gets one request, in the gateway's own form; who got the text does not get it again."""

    async def run() -> None:
        async with http_sink((201, {}, b""), (500, {}, b""), (201, {}, b"")) as sink:
            written = f"""
            sms: {{url: "{sink.url("/send")}", to: ["+49 170 1", "+49 170 2"], from: Shop, format: form,
                  username: acc, password: hush-hush, fields: {{To: "{{to}}", Body: "{{text}}", From: "{{from}}"}}}}"""
            one = sender(written)
            text = message(text="8.2 % fail, {to} & more " + "x" * 600)
            first = await one.send(text)
            assert (first.sent, first.retryable) == (False, True)
            assert (await one.send(text)).sent
            assert [got.body.decode().partition("&")[0] for got in sink.got] == [
                "To=%2B491701", "To=%2B491702", "To=%2B491702",
            ]  # fmt: skip
            assert "Body=8.2+%25+fail%2C+%7Bto%7D+%26+more+xxx" in sink.got[0].body.decode()
            assert len(sink.got[0].body) < 600
            assert sink.got[0].headers["Authorization"].startswith("Basic ")

            nested = sender(
                f'sms: {{url: "{sink.url()}", fields: {{to: ["{{to}}"], flash: false, sms: {{text: "{{text}}"}}}}}}'
            )
            person = notification(alert(), addresses=("+49 170 3",))
            assert (await nested.send(message(notification=person, text="down"))).sent
            assert sink.got[-1].json == {"to": ["+491703"], "flash": False, "sms": {"text": "down"}}

    asyncio.run(run())


def _command(path: Path, program: str, **options: Any) -> str:
    path.write_text(program)
    return json.dumps({"page": {"type": "command", "command": [sys.executable, str(path), "--now"], **options}})


def test_a_command_gets_json_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """It reads the alert on its input, gets the environment that is written and nothing else of the server's."""
    monkeypatch.setenv("SPANGLASS_READ_TOKEN", "hush-hush")
    monkeypatch.setenv("PAGER", "key-hush")
    program = """
import json, os, sys
told = json.load(sys.stdin)
print(told["alerts"][0]["labels"]["team"], sys.argv[1], sorted(os.environ), os.environ["PAGER_KEY"], os.getcwd())
"""
    written = _command(tmp_path / "page.py", program, environment={"PAGER_KEY": {"env": "PAGER"}})

    outcome = asyncio.run(sender(written).send(message()))
    assert outcome.sent
    assert outcome.answer.startswith("shop --now [")
    assert outcome.answer.endswith("] *** /")
    assert "SPANGLASS_READ_TOKEN" not in outcome.answer
    assert "SPANGLASS_NOTIFICATION" in outcome.answer


@pytest.mark.parametrize(
    ("program", "retryable", "error"),
    [
        ("import sys; print('no line'); sys.exit(75)", True, "ended with 75"),
        ("raise SystemExit(3)", False, "ended with 3"),
        # it is ended with what it started, which would hold its output open
        (
            "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']).wait()",
            False,
            "did not end within 1 s, and was ended",
        ),
    ],
)
def test_how_a_command_ends(tmp_path: Path, program: str, error: str, *, retryable: bool):
    """Its exit code says whether it is run again; one that hangs costs its time and leaves nothing behind."""
    timeout = "1s" if "sleep" in program else "60s"
    outcome = asyncio.run(sender(_command(tmp_path / "page.py", program, timeout=timeout)).send(message()))
    assert (outcome.sent, outcome.retryable) == (False, retryable)
    assert outcome.error == f"{sys.executable} {error}"


def test_commands_of_pages_are_allowed_word_for_word(tmp_path: Path):
    """What is made in pages may run a command that the settings list with all its arguments, and no other."""
    made = replace(channel(_command(tmp_path / "page.py", "print('paged')")), origin="kept")
    argv = made.options.command

    async def run() -> list[Outcome]:
        allowed = context(commands=(argv,))
        longer = replace(made, options=replace(made.options, command=(*argv, "--also")))
        return [
            await make_sender(made, allowed).send(message()),
            await make_sender(made, context()).send(message()),
            await make_sender(longer, allowed).send(message()),
        ]

    outcomes = asyncio.run(run())
    assert [each.sent for each in outcomes] == [True, False, False]
    assert "list it, with all its arguments, in the setting notifications.commands" in outcomes[1].error
