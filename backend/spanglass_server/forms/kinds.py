"""Kinds of values of a written form: how each is read, written, and described as a JSON schema."""

from __future__ import annotations

import logging
import math
import re
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from spanglass_core.units import UnitError, format_duration, parse_duration_ns
from spanglass_server.forms.names import SLUG_PATTERN, TAKEN, may_be
from spanglass_server.forms.problems import meant

if TYPE_CHECKING:
    from spanglass_server.forms.nodes import Entry, Node
    from spanglass_server.forms.problems import Report

_LOG: Final = logging.getLogger(__name__)

#: What a reader returns for a value that it could not take; the problem is in the report.
FAILED: Final = object()

MAX_TEXT = 20_000
MAX_ITEMS = 500
_WHOLE = 2.0**53
_NO_DURATION = frozenset({"0", "0s", "off", "false"})


class Kind(Protocol):
    """Reads a node, returning ``FAILED`` after a problem; writes a value as JSON; describes what it takes."""

    @property
    def schema(self) -> dict[str, Any]:
        """Its JSON schema."""

    def read(self, node: Node, report: Report) -> Any:
        """The value of a node."""

    def write(self, value: Any, *, full: bool) -> Any:
        """The JSON of a value; ``full`` writes defaults too."""


class Text:
    """A text; a number or a word such as ``yes`` counts as it was written."""

    def __init__(
        self, pattern: str = "", expected: str = "", *, may_be_empty: bool = True, most: int = MAX_TEXT
    ) -> None:
        self._most = most
        self._pattern = re.compile(pattern) if pattern else None
        self._expected = expected
        self._may_be_empty = may_be_empty
        self.schema: dict[str, Any] = {"type": "string"}

    def read(self, node: Node, report: Report) -> Any:
        """See ``Kind``."""
        if node.sort in {"list", "mapping", "null"}:
            report.add(node, f"expected a text, not {described(node)}", "put it in quotes if it holds { } [ ] or : ")
            return FAILED
        if len(node.text) > self._most:
            report.add(node, f"longer than {self._most} characters")
            return FAILED
        if not node.text.strip() and not self._may_be_empty:
            report.add(node, "expected a text that is not empty")
            return FAILED
        if self._pattern is not None and node.text and not self._pattern.fullmatch(node.text):
            report.add(node, f"{node.text!r} is not possible here", self._expected)
            return FAILED
        return node.text

    def write(self, value: Any, *, full: bool) -> Any:
        """See ``Kind``."""
        del full
        return value


class Uid(Text):
    """A uid, which is a part of addresses and a file's name; words of addresses are none of anything new."""

    def __init__(self, kind: str, pattern: str = SLUG_PATTERN, most: int = 100) -> None:
        super().__init__(pattern, f"use small letters, digits, - and _, at most {most} of them")
        self._kind = kind

    def read(self, node: Node, report: Report) -> Any:
        """See ``Kind``."""
        text = super().read(node, report)
        if text is FAILED or text not in TAKEN[self._kind]:
            return text
        message = f"{text!r} can't be a uid: pages and API have that word in its place"
        hint = f"write another one, such as {text}-{self._kind}"
        if not may_be(text, self._kind, report.stands):
            report.add(node, message, hint)
            return FAILED
        if report.file:  # it goes on, without all of its pages
            _LOG.warning("%s:%d: %s; %s", report.file, node.line, message, hint)
        return text


class Choice:
    """One of a few words."""

    def __init__(self, *words: str, may_be_empty: bool = False) -> None:
        self._words = words
        self._may_be_empty = may_be_empty
        self.schema: dict[str, Any] = {"type": "string", "enum": ["", *words] if may_be_empty else list(words)}

    def read(self, node: Node, report: Report) -> Any:
        """See ``Kind``."""
        if node.sort == "text" and (node.text in self._words or (self._may_be_empty and not node.text)):
            return node.text
        word = node.text if node.sort not in {"list", "mapping"} else ""
        report.add(node, f"{word!r} is not one of the choices", meant(word, self._words))
        return FAILED

    def write(self, value: Any, *, full: bool) -> Any:
        """See ``Kind``."""
        del full
        return value


class Flag:
    """true or false."""

    schema: Final = {"type": "boolean"}

    def read(self, node: Node, report: Report) -> Any:
        """See ``Kind``."""
        if node.sort != "bool":
            report.add(node, f"expected true or false, not {described(node)}")
            return FAILED
        return node.text.lower() in {"true", "yes", "on"}

    def write(self, value: Any, *, full: bool) -> Any:
        """See ``Kind``."""
        del full
        return value


class Number:
    """A finite number, or a whole one; ``None`` stands for one that is left out."""

    def __init__(self, least: float = -math.inf, most: float = math.inf, *, whole: bool = False) -> None:
        self._least, self._most, self._whole = least, most, whole
        self.schema: dict[str, Any] = {"type": ["integer" if whole else "number", "null"]}

    def read(self, node: Node, report: Report) -> Any:
        """See ``Kind``."""
        if node.sort == "null":
            return None
        value = _number(node)
        if value is None or (self._whole and not value.is_integer()) or not self._least <= value <= self._most:
            report.add(node, f"expected {self._expected()}, not {described(node)}")
            return FAILED
        return int(value) if self._whole else value

    def write(self, value: Any, *, full: bool) -> Any:
        """See ``Kind``."""
        del full
        return int(value) if value is not None and float(value).is_integer() and abs(value) < _WHOLE else value

    def _expected(self) -> str:
        noun = "a whole number" if self._whole else "a number"
        if math.isfinite(self._least) and math.isfinite(self._most):
            return f"{noun} from {self._least:g} to {self._most:g}"
        return f"{noun} of at least {self._least:g}" if math.isfinite(self._least) else noun


def _number(node: Node) -> float | None:
    # what YAML 1.1 takes for a text, such as 1e3, is a number to people
    if node.sort not in {"number", "text"}:
        return None
    try:
        value = float(node.text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


class Duration:
    """A duration such as ``30s``, in nanoseconds; ``0`` and ``off`` are none, which is written as ``none``."""

    schema: Final = {"type": "string", "examples": ["30s"]}

    def __init__(self, least_ns: int = 0, *, may_be_off: bool = False, none: str = "off") -> None:
        self._least_ns = least_ns
        self._may_be_off = may_be_off
        self._none = none

    def read(self, node: Node, report: Report) -> Any:
        """See ``Kind``."""
        if self._may_be_off and node.sort in {"number", "bool", "text"} and node.text.lower() in _NO_DURATION:
            return 0
        try:
            if node.sort != "text":
                raise UnitError(f"expected a duration, not {described(node)}")  # noqa: TRY301 - one message for both
            value = parse_duration_ns(node.text)
        except UnitError as error:
            report.add(node, str(error), "write a number and a unit, such as 30s, 15m or 1h30m")
            return FAILED
        if not self._least_ns <= value < 2**63:
            report.add(
                node, f"{node.text!r} is too short or too long", f"the least is {format_duration(self._least_ns)}"
            )
            return FAILED
        return value

    def write(self, value: Any, *, full: bool) -> Any:
        """See ``Kind``."""
        del full
        return format_duration(value) if value else self._none


class Nullable:
    """A kind whose value may be left open, with ``null``."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind

    @property
    def schema(self) -> dict[str, Any]:
        """See ``Kind``."""
        return {"anyOf": [self._kind.schema, {"type": "null"}]}

    def read(self, node: Node, report: Report) -> Any:
        """See ``Kind``."""
        return None if node.sort == "null" else self._kind.read(node, report)

    def write(self, value: Any, *, full: bool) -> Any:
        """See ``Kind``."""
        return None if value is None else self._kind.write(value, full=full)


class Many:
    """A list; one value by itself counts as a list of one."""

    def __init__(self, item: Kind, *, most: int = MAX_ITEMS, alone: bool = False) -> None:
        self._item = item
        self._most = most
        self._alone = alone

    @property
    def schema(self) -> dict[str, Any]:
        """See ``Kind``."""
        return {"type": "array", "items": self._item.schema}

    def read(self, node: Node, report: Report) -> Any:
        """See ``Kind``."""
        if node.sort == "null":
            return ()
        if node.sort != "list" and not self._alone:
            report.add(node, f"expected a list, not {described(node)}", "begin each item with a dash")
            return FAILED
        items = node.items if node.sort == "list" else (node,)
        if len(items) > self._most:
            report.add(node, f"{len(items)} are too many; the most is {self._most}")
            return FAILED
        values = [self._item.read(item, report) for item in items]
        return FAILED if any(value is FAILED for value in values) else tuple(values)

    def write(self, value: Any, *, full: bool) -> Any:
        """See ``Kind``."""
        return [self._item.write(item, full=full) for item in value]


class Texts:
    """A mapping of names to texts."""

    schema: Final = {"type": "object", "additionalProperties": {"type": "string"}}

    def __init__(self, item: Kind, name: str = "", expected: str = "", *, most: int = 100) -> None:
        self._item = item
        self._name = re.compile(name) if name else None
        self._expected = expected
        self._most = most

    def read(self, node: Node, report: Report) -> Any:
        """See ``Kind``."""
        if node.sort == "null":
            return {}
        if node.sort != "mapping":
            report.add(node, f"expected names with their texts, not {described(node)}", "such as team: shop")
            return FAILED
        if len(node.entries) > self._most:
            report.add(node, f"{len(node.entries)} are too many; the most is {self._most}")
            return FAILED
        values = {entry.key: self._entry(entry, report) for entry in node.entries}
        return FAILED if any(value is FAILED for value in values.values()) else values

    def _entry(self, entry: Entry, report: Report) -> Any:
        if self._name is not None and not self._name.fullmatch(entry.key):
            place = (entry.line, entry.column)
            report.add_at(entry.value.path, place, f"{entry.key!r} is not possible here", self._expected)
            return FAILED
        return self._item.read(entry.value, report)

    def write(self, value: Any, *, full: bool) -> Any:
        """See ``Kind``."""
        return {name: self._item.write(text, full=full) for name, text in value.items()}


class Address(Text):
    """Where a link of a page may lead: within the server, or to a site."""

    def read(self, node: Node, report: Report) -> Any:
        """See ``Kind``."""
        text = super().read(node, report)
        if text is not FAILED and text and not is_link(text):
            report.add(node, f"{text!r} can't be a link", "begin it with / or https://")
            return FAILED
        return text


class Zone(Text):
    """A time zone by its name."""

    def read(self, node: Node, report: Report) -> Any:
        """See ``Kind``."""
        text = super().read(node, report)
        if text is FAILED:
            return FAILED
        try:
            ZoneInfo(text)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            report.add(node, f"there is no time zone {text!r}", "such as Europe/Berlin or UTC")
            return FAILED
        return text


def is_link(text: str) -> bool:
    """Whether a page may link there: ``/path``, ``https://...`` or ``http://...``, and no script."""
    if text.startswith("/"):
        return not text.startswith(("//", "/\\"))
    try:
        return urlsplit(text).scheme in {"http", "https"}
    except ValueError:  # a host in brackets that is no IPv6 address
        return False


def described(node: Node) -> str:
    """What a node is, in the middle of a sentence."""
    nouns = {"list": "a list", "mapping": "a mapping", "null": "nothing"}
    return nouns.get(node.sort) or repr(node.text[:80])
