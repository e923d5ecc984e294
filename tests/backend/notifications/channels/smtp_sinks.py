"""SMTP servers for tests: TLS, login, and answers that the test says."""

from __future__ import annotations

import asyncio
import ssl
import warnings
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from email.message import EmailMessage
    from pathlib import Path

LOGIN = ("alerts", "hush-hush")


@dataclass
class SmtpSink:
    """Keeps mails. ``recipients`` has the answer to those that are not simply taken, ``data`` that to a mail."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    recipients: dict[str, str] = field(default_factory=dict)
    data: str = "250 queued as 7"

    async def handle_RCPT(self, _: Any, __: Any, envelope: Any, address: str, options: list[str]) -> str:  # noqa: N802 - aiosmtpd's
        """Take a recipient, or not."""
        answer = self.recipients.get(address, "250 OK")
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
            envelope.rcpt_options.extend(options)
        return answer

    async def handle_DATA(self, server: Any, _: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's
        """Take a mail, or not."""
        if self.data.startswith("2"):
            mail: Any = message_from_bytes(envelope.content, policy=policy.default)
            self.mails.append(mail)
            self.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos)))
            self.encrypted.append(server.transport.get_extra_info("sslcontext") is not None)
        return self.data


def _log_in(*arguments: Any) -> AuthResult:
    given = arguments[4]
    assert isinstance(given, LoginPassword)
    right = (given.login.decode(), given.password.decode()) == LOGIN
    return AuthResult(success=right, handled=right)


@asynccontextmanager
async def smtp_sink(
    *, starttls: Path | None = None, tls: Path | None = None, login: bool = False
) -> AsyncIterator[SmtpSink]:
    """A sink with the certificate of a file, from the start (``tls``) or when it is asked to."""
    sink = SmtpSink()

    def factory() -> SMTP:
        with warnings.catch_warnings():  # it warns of a login without STARTTLS, also where all is encrypted
            warnings.simplefilter("ignore")
            return made()

    def made() -> SMTP:
        return SMTP(
            sink,
            hostname="sink",
            loop=asyncio.get_running_loop(),
            tls_context=tls_of_server(starttls),
            authenticator=_log_in if login else None,
            auth_required=login,
            auth_require_tls=tls is None,
        )

    server = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", 0, ssl=tls_of_server(tls))
    sink.port = server.sockets[0].getsockname()[1]
    try:
        yield sink
    finally:
        server.close()
        await server.wait_closed()


def tls_of_server(file: Path | None) -> ssl.SSLContext | None:
    """The context of a server with key and certificate of a file."""
    if file is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context
