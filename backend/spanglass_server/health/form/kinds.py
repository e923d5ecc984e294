"""Kinds of values that only checks have; see ``Kind``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from spanglass_server.forms.kinds import FAILED, Text
from spanglass_server.forms.secrets import SecretKind, SecretSource
from spanglass_server.health.cron import CronError, parse_cron

if TYPE_CHECKING:
    from spanglass_server.forms.kinds import Kind
    from spanglass_server.forms.nodes import Node
    from spanglass_server.forms.problems import Report

_UTC: Final = ZoneInfo("UTC")
#: A host as its name, an address, or one of IPv6 in brackets; with a port.
_HOST_PORT: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]@?#]+):(\d{1,5})")
_MOST_PORT: Final = 65_535


class Maybe:
    """What another kind reads, or nothing: None."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind

    @property
    def schema(self) -> dict[str, Any]:
        """See ``Kind``."""
        return {"oneOf": [self._kind.schema, {"type": "null"}]}

    def read(self, node: Node, report: Report) -> Any:
        """See ``Kind``."""
        return None if node.sort == "null" else self._kind.read(node, report)

    def write(self, value: Any, *, full: bool) -> Any:
        """See ``Kind``."""
        return None if value is None else self._kind.write(value, full=full)


class TextOrSecret:
    """A text, or where a secret stands."""

    schema: Final = SecretKind.schema

    def read(self, node: Node, report: Report) -> Any:
        """See ``Kind``."""
        return (SecretKind() if node.sort == "mapping" else Text()).read(node, report)

    def write(self, value: Any, *, full: bool) -> Any:
        """See ``Kind``."""
        return SecretKind().write(value, full=full) if isinstance(value, SecretSource) else value


class HostPort(Text):
    """``host:port``, IPv6 in brackets."""

    def __init__(self, *, may_be_empty: bool = False, port: int = 0) -> None:
        super().__init__(may_be_empty=may_be_empty)
        self._port = port

    def read(self, node: Node, report: Report) -> Any:
        """See ``Kind``."""
        text = super().read(node, report)
        if text is FAILED or not text:
            return text
        if self._port and split_host_port(text) is None and split_host_port(f"{text}:{self._port}") is not None:
            text = f"{text}:{self._port}"
        if split_host_port(text) is None:
            report.add(node, f"{text!r} is no address with a port", "write host:port, or [2001:db8::1]:443")
            return FAILED
        return text


def split_host_port(text: str) -> tuple[str, int] | None:
    """Host, without brackets, and port; None for a text that is no such address."""
    found = _HOST_PORT.fullmatch(text.strip())
    if found is None or not 0 < int(found[2]) <= _MOST_PORT:
        return None
    return found[1].strip("[]"), int(found[2])


class Url(Text):
    """A URL of some schemes. A password in it would be shown with it, so it stands elsewhere."""

    def __init__(self, *schemes: str, may_be_empty: bool = False) -> None:
        super().__init__(may_be_empty=may_be_empty)
        self._schemes = schemes

    def read(self, node: Node, report: Report) -> Any:
        """See ``Kind``."""
        text = super().read(node, report)
        if text is FAILED or not text:
            return text
        example = f"write it like {self._schemes[0]}://host/path"
        try:
            parts = urlsplit(text)
            ok = parts.scheme in self._schemes and bool(parts.hostname) and parts.port != 0
        except ValueError:
            ok = False
        if not ok or any(letter.isspace() for letter in text):
            report.add(node, f"{text!r} is no URL of {' or '.join(self._schemes)}", example)
            return FAILED
        if parts.password is not None:
            report.add(node, "the URL holds a password", "give it as password: {env: NAME}")
            return FAILED
        return text


class Times(Text):
    """Times of crontab."""

    def read(self, node: Node, report: Report) -> Any:
        """See ``Kind``."""
        text = super().read(node, report)
        if text is FAILED or not text:
            return text
        try:
            comes = parse_cron(text).next_ns(0, _UTC)
        except CronError as error:
            report.add(node, str(error), "such as `30 3 * * *` for each day at half past three")
            return FAILED
        if not comes:
            report.add(node, f"{text!r} never comes", "no such day is in any of these months")
            return FAILED
        return text
