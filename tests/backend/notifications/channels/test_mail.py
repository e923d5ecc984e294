"""Mail over real SMTP: TLS, login, what a mail holds, and recipients that are refused."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from made_channels import message, send, sender
from made_for_messages import HOSTILE, alert, notification
from smtp_sinks import SmtpSink, smtp_sink

from spanglass_server.notifications.model import Attachment, Outcome, Reason

if TYPE_CHECKING:
    from pathlib import Path

    from spanglass_server.notifications.model import Message


def _send(sink: dict[str, Any], options: str, *messages: Message) -> tuple[SmtpSink, list[Outcome]]:
    async def run() -> tuple[SmtpSink, list[Outcome]]:
        async with smtp_sink(**sink) as server:
            one = sender(f'email: {{smtp_server: "127.0.0.1:{server.port}", from: Shop <a@example.com>, {options}}}')
            return server, [await one.send(each) for each in messages or (message(),)]

    return asyncio.run(run())


def test_a_mail_has_text_html_and_chart():
    """It reads as text and as HTML with the chart inside, is threaded, and is the same mail when it is sent again."""
    first = message(chart_png=b"\x89PNG chart", title=HOSTILE, text="8.2 % of requests fail \u2013 since 11:28.\n" * 3)
    again = replace(first, notification=notification(alert(), reason=Reason.REPEAT, id="n-2"))
    sink, outcomes = _send({}, "to: [Kim <kim@example.com>, b@example.com], reply_to: c@example.com", first, again)
    assert outcomes == [Outcome(sent=True, answer="queued as 7")] * 2
    assert sink.envelopes == [("a@example.com", ["kim@example.com", "b@example.com"])] * 2
    mail, other = sink.mails
    assert mail["Subject"] == "<!channel> </title><script>alert(1)</script> Bcc: x@example.com &"
    assert (mail["Bcc"], mail["From"], mail["To"], mail["Reply-To"]) == (
        None, "Shop <a@example.com>", "Kim <kim@example.com>, b@example.com", "c@example.com",
    )  # fmt: skip
    assert (mail["Auto-Submitted"], mail["X-Priority"]) == ("auto-generated", "1 (Highest)")
    assert mail["Message-ID"] != other["Message-ID"]
    assert mail["In-Reply-To"] == other["In-Reply-To"] == mail["References"]
    text, related = list(mail.iter_parts())
    assert text.get_content().replace("\r\n", "\n") == first.text
    html, chart = list(related.iter_parts())
    assert html.get_content().strip() == first.html
    assert (chart["Content-ID"], chart.get_content_type(), chart.get_content()) == (
        "<chart>",
        "image/png",
        b"\x89PNG chart",
    )


@pytest.mark.parametrize(
    ("name", "media_type"), [("week.pdf", "application/pdf"), ('a"\r\nX: 1.csv', "text/csv; charset=utf-8")]
)
def test_a_mail_has_a_file_with_it(name: str, media_type: str):
    """A file goes with text and HTML, byte by byte; its name can't add headers."""
    file = Attachment(name, media_type, b"%PDF \x00\xff\r\n.\r\n")
    sink, outcomes = _send({}, "to: b@example.com", message(attachment=file))
    assert outcomes[0].sent
    (mail,) = sink.mails
    (found,) = list(mail.iter_attachments())
    assert found.get_content_type() == media_type.partition(";")[0]
    assert found.get_payload(decode=True) == file.content
    assert (found["X"], mail["X"]) == (None, None)
    assert mail.get_body(("html",)) is not None


@pytest.mark.parametrize("way", ["starttls", "tls"])
def test_tls_and_login(certificate: Path, way: str):
    """With the right certificates and password a mail goes encrypted; with the machine's certificates none goes."""
    sink = {way: certificate, "login": True}
    login = f"to: b@example.com, username: alerts, password: hush-hush, tls: {'tls' if way == 'tls' else 'auto'}"
    server, outcomes = _send(sink, f"{login}, ca_file: {certificate}")
    assert outcomes == [Outcome(sent=True, answer="queued as 7")]
    assert server.encrypted == [True]

    (wrong,) = _send(sink, f"{login.replace('hush-hush', 'wrong-hush')}, ca_file: {certificate}")[1]
    assert (wrong.sent, wrong.retryable) == (False, False)
    assert "refused the login: 535" in wrong.error
    assert "wrong-hush" not in repr(wrong)

    server, (unknown,) = _send(sink, login)
    assert (unknown.sent, unknown.retryable, server.mails) == (False, True, [])
    assert "certificate" in unknown.error
    assert _send(sink, f"{login}, verify: false")[1][0].sent


def test_a_password_is_never_sent_in_clear():
    """Where the server offers no encryption, we refuse a login; without one the mail goes, if it may."""
    server, (login,) = _send({}, "to: b@example.com, username: alerts, password: hush-hush")
    assert (login.sent, login.retryable, server.mails) == (False, False, [])
    assert "offers no STARTTLS, and a password is not sent in clear" in login.error
    assert not _send({}, "to: b@example.com, tls: starttls")[1][0].sent
    assert _send({}, "to: b@example.com")[1][0].sent


def test_recipients_that_are_refused():
    """Who is refused for now gets it at the next attempt, alone; who is refused for good does not hold up others."""

    async def run() -> None:
        async with smtp_sink() as sink:
            sink.recipients = {"later@example.com": "451 try later", "never@example.com": "550 no such user"}
            written = f'smtp_server: "127.0.0.1:{sink.port}", from: a@example.com'
            both = sender(f"email: {{{written}, to: [b@example.com, later@example.com]}}")
            first = await both.send(message())
            assert (first.sent, first.retryable) == (False, True)
            assert first.error == "1 of 2 recipients were refused, such as later@example.com: 451 try later"
            sink.recipients.pop("later@example.com")
            assert (await both.send(message())).sent
            assert (await both.send(message())).answer == "sent at an earlier attempt"
            assert [to for _, to in sink.envelopes] == [["b@example.com"], ["later@example.com"]]

            one = sender(f"email: {{{written}, to: [b@example.com, never@example.com]}}")
            assert (await one.send(message())).sent
            alone = await sender(f"email: {{{written}, to: never@example.com}}").send(message())
            assert (alone.sent, alone.retryable) == (False, False)
            assert alone.error == "1 of 1 recipients were refused, such as never@example.com: 550 no such user"

            person = await one.send(
                message(notification=notification(alert(), id="n-9", addresses=("kim@example.com",)))
            )
            assert person.sent
            assert sink.envelopes[-1][1] == ["kim@example.com"]
            sink.data = "452 disk full"
            full = await one.send(message(notification=notification(alert(), id="n-10")))
            assert (full.sent, full.retryable) == (False, True)
            assert full.error == f"127.0.0.1:{sink.port} refused the mail: 452 disk full"

    asyncio.run(run())


def test_a_mail_server_that_does_not_answer():
    """A server that takes the connection and says nothing costs the time that is set, and is tried again."""
    ended = asyncio.Event()

    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await ended.wait()
        writer.close()

    async def run() -> Outcome:
        server = await asyncio.start_server(silent, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        written = f'email: {{smtp_server: "127.0.0.1:{port}", from: a@example.com, to: b@example.com, timeout: 1s}}'
        outcome = await sender(written).send(message())
        ended.set()
        server.close()
        await server.wait_closed()
        return outcome

    outcome = asyncio.run(run())
    assert (outcome.sent, outcome.retryable) == (False, True)
    assert outcome.error.endswith("did not answer in time")


def test_nobody_to_send_to():
    """A channel without recipients is for people's addresses; told without one, it says what is missing."""
    (outcome,) = send(sender('email: {smtp_server: "smtp.example.com", from: a@example.com}'), message())
    assert outcome == Outcome(sent=False, error="there is nobody to send to: give `to`")
