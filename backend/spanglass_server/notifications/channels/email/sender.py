"""Sends mail over SMTP: TLS or STARTTLS, login, one connection a mail."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import TYPE_CHECKING

import aiosmtplib

from spanglass_server.notifications.channels.doubles import Recipients
from spanglass_server.notifications.channels.email.composing import mail_of
from spanglass_server.notifications.channels.email.options import address_of
from spanglass_server.notifications.channels.http_options import tls_context
from spanglass_server.notifications.channels.sending import Sending, cut, text_of
from spanglass_server.notifications.model import Outcome
from spanglass_server.supervision import in_words
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence
    from email.message import EmailMessage

    from spanglass_server.notifications.channels.context import Context
    from spanglass_server.notifications.channels.email.options import EmailOptions
    from spanglass_server.notifications.model import Channel, Message

_PERMANENT = 500  # codes of SMTP from here on are refusals, those below mean: later
Refusals = dict[str, tuple[int, str]]


class EmailSender(Sending):
    """Sends one mail to all recipients; those that a server takes later get it at another attempt, the others not."""

    def __init__(self, channel: Channel, context: Context) -> None:
        super().__init__(channel, context)
        self._recipients = Recipients()

    async def deliver(self, message: Message) -> Outcome:
        """See ``Sending``."""
        options: EmailOptions = self.channel.options
        key = message.notification.id
        everybody = message.notification.addresses or options.to
        wrong = [each for each in everybody if address_of(each) is None]
        if wrong or not everybody:
            what = f"{wrong[0]!r} is no address of mail" if wrong else "there is nobody to send to: give `to`"
            return Outcome(sent=False, error=what)
        wanted = self._recipients.left(key, everybody)
        if not wanted:
            return Outcome(sent=True, answer="sent at an earlier attempt")
        host, port = options.server
        try:
            refusals, answer = await self._submit(mail_of(message, options, everybody), options, wanted)
        except (aiosmtplib.SMTPException, TimeoutError, ssl.SSLError) as error:
            return _failed(error, f"{host}:{port}", text_of(options.password))
        self._recipients.add(key, (each for each in wanted if each not in refusals))
        return _outcome(refusals, answer, len(wanted))

    async def _submit(
        self, mail: EmailMessage, options: EmailOptions, recipients: Sequence[str]
    ) -> tuple[Refusals, str]:
        """Hand a mail over; those who were refused, and what the server said."""
        timeout_s = options.timeout_ns / NS_PER_SECOND
        host, port = options.server
        connection = await self.context.way_to(self.channel, host).connect(host, port, timeout_s)
        async with asyncio.timeout(timeout_s):
            client = aiosmtplib.SMTP(
                hostname=host,
                sock=connection,
                local_hostname=socket.gethostname(),
                use_tls=options.is_tls,
                start_tls=_starttls(options),
                tls_context=tls_context(options.ca_file, verify=options.verify),
                timeout=timeout_s,
            )
            try:
                await client.connect()
                await self._login(client, options)
                specs = {spec: each for each in recipients if (spec := _spec(each))}
                refused, answer = await client.send_message(mail, sender=_spec(options.from_), recipients=list(specs))
                await client.quit()
            finally:
                client.close()
        return {specs[spec]: (each.code, each.message) for spec, each in refused.items()}, answer

    async def _login(self, client: aiosmtplib.SMTP, options: EmailOptions) -> None:
        if not options.username:
            return
        if client.get_transport_info("sslcontext") is None:
            raise aiosmtplib.SMTPNotSupported(
                "the server offers no STARTTLS, and a password is not sent in clear; "
                "set tls: tls if it speaks TLS from the start, or leave username and password out"
            )
        await client.login(options.username, text_of(options.password))


def _starttls(options: EmailOptions) -> bool | None:
    if options.is_tls or options.tls == "none":
        return False
    return True if options.tls == "starttls" else None  # None: if it is offered


def _spec(text: str) -> str:
    address = address_of(text)
    return address.addr_spec if address is not None else ""


def _outcome(refusals: Refusals, answer: str, wanted: int) -> Outcome:
    if not refusals:
        return Outcome(sent=True, answer=cut(answer, ()))
    later = {each: said for each, said in refusals.items() if said[0] < _PERMANENT}
    each, (code, text) = next(iter((later or refusals).items()))
    error = f"{len(refusals)} of {wanted} recipients were refused, such as {each}: {code} {text}"
    return Outcome(
        sent=not later and len(refusals) < wanted, retryable=bool(later), answer=cut(answer, ()), error=cut(error, ())
    )


def _failed(error: Exception, server: str, password: str) -> Outcome:
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        refused = {each.recipient: (each.code, each.message) for each in error.recipients}
        return _outcome(refused, "", len(refused))
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        said = f"{server} refused the login: {error.code} {error.message}; look at username and password"
        return Outcome(sent=False, retryable=error.code < _PERMANENT, error=cut(said, [password]))
    if isinstance(error, aiosmtplib.SMTPResponseException):
        said = f"{server} refused the mail: {error.code} {error.message}"
        return Outcome(sent=False, retryable=error.code < _PERMANENT, error=cut(said, [password]))
    if isinstance(error, aiosmtplib.SMTPNotSupported):
        return Outcome(sent=False, error=cut(f"{server}: {error.message}", [password]))
    if isinstance(error, TimeoutError | aiosmtplib.SMTPTimeoutError):
        return Outcome(sent=False, retryable=True, error=f"{server} did not answer in time")
    cause = error.__cause__ or error
    reason = getattr(cause, "verify_message", "") or getattr(cause, "message", "") or in_words(cause)
    return Outcome(sent=False, retryable=True, error=cut(f"{server}: {reason}", [password]))
