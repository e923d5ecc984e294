"""A message as a mail: text and HTML with the chart inside, threaded, marked as sent by a machine."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import TYPE_CHECKING

from spanglass_server.notifications.channels.email.options import address_of
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.notifications.channels.email.options import EmailOptions
    from spanglass_server.notifications.model import Message

#: Where the HTML has the chart: ``<img src="cid:chart">``.
CHART = "chart"
_URGENT = {"critical": "1 (Highest)", "error": "2 (High)"}


def mail_of(message: Message, options: EmailOptions, recipients: Sequence[str]) -> EmailMessage:
    """The mail. Its ``Message-ID`` follows from the notification: the same mail sent twice has the same."""
    notification = message.notification
    sender = address_of(options.from_) or Address(addr_spec="spanglass@localhost")
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    mail["To"] = [address for each in recipients if (address := address_of(each)) is not None]
    mail["Subject"] = one_header(message.title)
    mail["Date"] = format_datetime(datetime.fromtimestamp(notification.created_ns // NS_PER_SECOND, UTC))
    own, thread = message_id(notification.id, sender), message_id(f"thread {notification.thread}", sender)
    mail["Message-ID"] = own
    mail["In-Reply-To"] = thread
    mail["References"] = thread
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no automatic answers
    mail["X-Auto-Response-Suppress"] = "All"  # the same for Exchange
    mail["X-Spanglass-Notification"] = one_header(notification.id)
    if message.status == "firing" and message.severity in _URGENT:
        mail["X-Priority"] = _URGENT[message.severity]
    if options.reply_to:
        mail["Reply-To"] = [address_of(options.reply_to)]
    mail.set_content(message.text or message.title, cte="quoted-printable")
    if message.html:
        mail.add_alternative(message.html, subtype="html", cte="quoted-printable")
        _add_chart(mail, message)
    if message.attachment is not None:
        file = message.attachment
        main, _, sub = file.media_type.partition(";")[0].partition("/")
        mail.add_attachment(file.content, maintype=main, subtype=sub, filename=one_header(file.name))
    return mail


def _add_chart(mail: EmailMessage, message: Message) -> None:
    if message.chart_png and f"cid:{CHART}" in message.html:
        html = mail.get_payload()[1]  # type: ignore[index]  # of the alternatives
        html.add_related(  # type: ignore[union-attr]
            message.chart_png, "image", "png", cid=f"<{CHART}>", filename="chart.png", disposition="inline"
        )


def message_id(text: str, sender: Address) -> str:
    """An id of a mail that follows from a text."""
    digest = hashlib.sha256(text.encode()).hexdigest()[:32]
    domain = sender.domain if sender.domain.isascii() else sender.domain.encode("idna").decode()
    return f"<{digest}@{domain or 'localhost'}>"


def one_header(text: str) -> str:
    """A text that can stand in a header."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:250]
