"""Types of settings: how each is read from text and written back; and the one error of settings."""

from __future__ import annotations

import string
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, urlsplit

from spanglass_core.units import format_duration, format_size, parse_duration_ns, parse_size_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_MAX_PORT = 65_535
_MANY_DIGITS = 19  # more do not fit a signed 64-bit integer
_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})
_TOKEN_CHARACTERS = frozenset(string.ascii_letters + string.digits + string.punctuation)


class Secret:
    """A text that no log, error or representation shows; ``reveal()`` gives it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself to the one place that compares or sends it."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return "Secret(***)" if self._text else "Secret()"

    __str__ = __repr__

    def __reduce__(self) -> str:
        raise TypeError("a Secret is not pickled: what it hides would be written in clear")


class SettingType(NamedTuple):
    """How a setting is read: ``parse`` raises ValueError that says what was expected, ``format`` writes it back."""

    name: str
    parse: Callable[[str], Any]
    format: Callable[[Any], str] = str


def _bool(text: str) -> bool:
    word = text.strip().lower()
    if word in _TRUE | _FALSE:
        return word in _TRUE
    raise ValueError("expected true or false")


def _text(text: str) -> str:
    if not text.strip():
        raise ValueError("expected a text that is not empty")
    return text.strip()


def choice(*words: str) -> SettingType:
    """One of some words, in any case."""

    def read(text: str) -> str:
        word = text.strip().lower()
        if word not in words:
            raise ValueError(f"expected one of {', '.join(words)}")
        return word

    return SettingType("str", read)


def _ratio(text: str) -> float:
    word = text.strip()
    try:
        value = float(word.removesuffix("%")) / (100 if word.endswith("%") else 1)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1.0:
        raise ValueError("expected a number from 0 to 1, or a percentage such as 10%")
    return value


def _headers(text: str) -> tuple[tuple[str, str], ...]:
    """Read ``name=value,name=value``; values may be percent-encoded, as in OTEL_EXPORTER_OTLP_HEADERS."""
    pairs = []
    for part in _list(text):
        name, equals, value = part.partition("=")
        if not equals or not name.strip():
            raise ValueError("expected name=value pairs with commas between them")
        pairs.append((name.strip().lower(), unquote(value.strip())))
    return tuple(pairs)


def _path(text: str) -> Path:
    return Path(_text(text)).expanduser()


def _web_address(text: str) -> str:
    """Read ``https://host:port``; a slash at the end is left out."""
    word = text.strip().rstrip("/")
    try:
        parts = urlsplit(word)
        is_one = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none
        is_one = False
    if not is_one or parts.path or parts.query or parts.fragment or "@" in parts.netloc or not word.isprintable():
        raise ValueError("expected an address such as https://spanglass.example, without a path")
    return word


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _secret(text: str) -> Secret:
    token = text.strip()
    if not set(token) <= _TOKEN_CHARACTERS:
        raise ValueError("expected printable ASCII characters without spaces, as HTTP headers can carry")
    return Secret(token)


def _duration(text: str) -> int:
    if text.strip() == "0":  # zero needs no unit
        return 0
    return _not_negative(parse_duration_ns(text))


def _size(text: str) -> int:
    return _not_negative(parse_size_bytes(text))


def _not_negative(value: int) -> int:
    if value < 0:
        raise ValueError("expected a value of at least 0")
    return value


def whole(least: int, most: int | None = None) -> SettingType:
    """Whole numbers from ``least`` to ``most``."""
    span = f"from {least} to {most}" if most is not None else f"of at least {least}"

    def read(text: str) -> int:
        digits = text.strip().replace("_", "")
        value = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < _MANY_DIGITS else -1
        if value < least or (most is not None and value > most):
            raise ValueError(f"expected a whole number {span}")
        return value

    return SettingType("int", read)


STR = SettingType("str", _text)
BOOL = SettingType("bool", _bool, lambda value: "true" if value else "false")
DURATION = SettingType("duration", _duration, format_duration)
BYTES = SettingType("bytes", _size, format_size)
PORT = whole(0, _MAX_PORT)
LEVEL = choice("debug", "info", "warning", "error")
PATH = SettingType("path", _path, lambda value: "" if value is None else str(value))
WEB_ADDRESS = SettingType("str", _web_address)
LIST = SettingType("list", _list, ", ".join)
RATIO = SettingType("ratio", _ratio)
# values of headers are often keys, so they are never shown
HEADERS = SettingType("headers", _headers, lambda pairs: ", ".join(f"{name}=***" for name, _ in pairs))
SECRET = SettingType("secret", _secret, lambda value: "***" if value else "")


class SettingsError(ValueError):
    """A setting can't be used; the message gives its place and what to do. It never holds a secret."""


def suggest(name: str, known: Iterable[str]) -> str:
    """End a message with what was probably meant, or where the list is."""
    import difflib  # noqa: PLC0415 - 1 ms that a configuration without mistakes need not pay

    names = list(known)
    # the last word may be right and its group wrong or missing
    close = [full for full in names if full.rpartition(".")[2] == name.rpartition(".")[2]]
    close = close or difflib.get_close_matches(name, names, n=1, cutoff=0.75)
    return f"; did you mean {close[0]!r}?" if close else "; docs/settings.md lists all settings"
