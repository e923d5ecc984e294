"""Options of mail: the server, its security and login, from whom and to whom."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.headerregistry import Address
from email.utils import parseaddr
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.forms.kinds import FAILED, Choice, Duration, Flag, Many, Text
from spanglass_server.forms.shapes import Shape
from spanglass_server.notifications.config.secrets import SecretText

if TYPE_CHECKING:
    from spanglass_server.forms.nodes import Node
    from spanglass_server.forms.problems import Report
    from spanglass_server.forms.secrets import SecretSource

_SECOND_NS = 10**9
#: Ports of submission: with STARTTLS, and with TLS from the start.
SUBMISSION, SUBMISSIONS = 587, 465
_SERVER = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[^\s:/@\[\]]+)(?::(?P<port>\d{1,5}))?")
_MAX_PORT = 65_535
_MOST_RECIPIENTS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailOptions:
    """``tls``: "tls" from the start, "starttls", "none", or "auto": TLS on port 465, else STARTTLS if it is offered."""

    smtp_server: str
    from_: str
    to: tuple[str, ...] = ()
    username: str = ""
    password: SecretSource | None = None
    tls: str = "auto"
    verify: bool = True
    ca_file: str = ""
    reply_to: str = ""
    timeout_ns: int = 10 * _SECOND_NS

    @property
    def server(self) -> tuple[str, int]:
        """Host and port."""
        return _server_of(self.smtp_server) or (self.smtp_server, SUBMISSION)

    @property
    def is_tls(self) -> bool:
        """Whether the connection is encrypted from the start."""
        return self.tls == "tls" or (self.tls == "auto" and self.server[1] == SUBMISSIONS)


class MailAddress(Text):
    """An address of mail, ``name@example.com``, also with a name before it: ``Name <name@example.com>``."""

    def read(self, node: Node, report: Report) -> Any:
        """See ``Kind``."""
        text = super().read(node, report)
        if text is not FAILED and text and address_of(text) is None:
            report.add(node, f"{text!r} is no address of mail", "write name@example.com")
            return FAILED
        return text


def address_of(text: str) -> Address | None:
    """The address that a text is, None if it is none."""
    name, spec = parseaddr(text)
    local, at, domain = spec.rpartition("@")
    if not at or not local or not domain or any(letter.isspace() or not letter.isprintable() for letter in spec):
        return None
    if not name and text.strip() not in {spec, f"<{spec}>"}:
        return None
    try:
        return Address(display_name=name, username=local, domain=domain)
    except (ValueError, IndexError):
        return None


def _server_of(text: str) -> tuple[str, int] | None:
    found = _SERVER.fullmatch(text)
    if found is None:
        return None
    port = int(found["port"] or SUBMISSION)
    return (found["host"].strip("[]"), port) if 0 < port <= _MAX_PORT else None


class _Server(Text):
    def read(self, node: Node, report: Report) -> Any:
        text = super().read(node, report)
        if text is not FAILED and _server_of(text) is None:
            report.add(node, f"{text!r} is no mail server", "write smtp.example.com:587, without smtp://")
            return FAILED
        return text


def _check(value: Any, node: Node, report: Report) -> None:
    if bool(value.username) != (value.password is not None):
        given, other = ("username", "password") if value.username else ("password", "username")
        report.add(node.named(given) or node, f"{other} is missing")
    elif value.username and value.tls == "none":
        report.add(node.named("tls") or node, "a password would be sent in clear", "set tls: starttls or tls: tls")


EMAIL: Final = Shape(
    EmailOptions,
    {
        "smtp_server": _Server(may_be_empty=False),
        "from": MailAddress(may_be_empty=False),
        "to": Many(MailAddress(may_be_empty=False), most=_MOST_RECIPIENTS, alone=True),
        "username": Text(),
        "password": SecretText(),
        "tls": Choice("auto", "starttls", "tls", "none"),
        "verify": Flag(),
        "ca_file": Text(r"/.*", "give the absolute path of a file of certificates in PEM"),
        "reply_to": MailAddress(),
        "timeout": Duration(_SECOND_NS),
    },
    check=_check,
)
