"""Options of channels that ask a sink over HTTP: address, credentials, certificates."""

from __future__ import annotations

import base64
import ssl
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.forms.kinds import Duration, Flag, Text, Texts
from spanglass_server.notifications.channels.sending import parts_of, text_of
from spanglass_server.notifications.config.secrets import SecretText

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from spanglass_server.forms.kinds import Kind
    from spanglass_server.forms.nodes import Node
    from spanglass_server.forms.problems import Report
    from spanglass_server.forms.secrets import SecretSource

_SECOND_NS = 10**9
_HEADER = r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}"
#: Headers that are ours to say.
_OURS: Final = frozenset({"host", "content-length", "transfer-encoding", "connection"})


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpOptions:
    """Where and how a sink is asked."""

    url: SecretSource
    headers: Mapping[str, SecretSource] = field(default_factory=dict)
    token: SecretSource | None = None
    username: str = ""
    password: SecretSource | None = None
    verify: bool = True
    ca_file: str = ""
    timeout_ns: int = 10 * _SECOND_NS

    def credentials(self) -> dict[str, str]:
        """The headers that it names, and that of its token or password. Raises ``SecretError``."""
        headers = {name.lower(): value.reveal() for name, value in self.headers.items()}
        if self.token:
            headers["authorization"] = f"Bearer {self.token.reveal()}"
        elif self.username:
            pair = f"{self.username}:{text_of(self.password)}".encode()
            headers["authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        return headers

    def secrets(self) -> Iterator[str]:
        """What no answer may repeat. Raises ``SecretError``."""
        yield from parts_of(self.url.reveal())
        yield from map(text_of, (self.token, self.password, *self.headers.values()))


HTTP_KINDS: Final[dict[str, Kind]] = {
    "url": SecretText(),
    "headers": Texts(SecretText(), _HEADER, "use letters, digits and dashes, such as X-Api-Key", most=30),
    "token": SecretText(),
    "username": Text(),
    "password": SecretText(),
    "verify": Flag(),
    "ca_file": Text(r"/.*", "give the absolute path of a file of certificates in PEM"),
    "timeout": Duration(_SECOND_NS),
}


def check_http(value: Any, node: Node, report: Report) -> None:
    """Report what does not go together in the options."""
    check_url(value.url, "url", node, report)
    if value.token and value.username:
        report.add(node.named("token") or node, "a token and a username are given", "leave one of them out")
    if bool(value.username) != bool(value.password):
        given, other = ("username", "password") if value.username else ("password", "username")
        report.add(node.named(given) or node, f"{other} is missing")
    for name in value.headers:
        if name.lower() in _OURS:
            report.add(node.named("headers") or node, f"the header {name} can't be set", "leave it out")
        elif name.lower() == "authorization" and (value.token or value.username):
            report.add(node.named("headers") or node, "the header Authorization and credentials are given")


def check_url(given: SecretSource | str | None, key: str, node: Node, report: Report) -> None:
    """Report an address that is none, without showing it; one that comes from elsewhere is not looked at."""
    if given is None or (not isinstance(given, str) and given.kind != "text"):
        return
    text = given if isinstance(given, str) else given.place.reveal()
    place = node.named(key) or node
    scheme, sep, rest = text.partition("://")
    host = rest.partition("/")[0]
    if scheme not in {"http", "https"} or not sep or not host or any(letter.isspace() for letter in text):
        report.add(place, f"{key} is no address", "begin it with https://")
    elif "@" in host:
        report.add(place, f"{key} holds a user name", "write it as username and password")


def tls_of(options: Any) -> ssl.SSLContext | None:
    """The certificates by which a sink is known; None for those of the machine. Raises ``OSError``."""
    return None if options.verify and not options.ca_file else tls_context(options.ca_file, verify=options.verify)


def tls_context(ca_file: str, *, verify: bool) -> ssl.SSLContext:
    """A context with these certificates, as they are now, or the machine's. Raises ``OSError`` that names the file."""
    try:
        stamp = Path(ca_file).stat().st_mtime_ns if ca_file else 0
        return _context(ca_file, stamp, verify=verify)
    except OSError as error:  # of SSL, too
        raise OSError(f"the file {ca_file} of certificates can't be used: {error.strerror or error}") from None


@lru_cache(maxsize=64)
def _context(ca_file: str, _stamp: int, *, verify: bool) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file or None)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
