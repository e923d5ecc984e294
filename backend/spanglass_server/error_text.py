"""Texts about errors as one line: the first of a message, a backtrace, a list or JSON that says something."""

from __future__ import annotations

import json
import re
from typing import Any

#: Characters of a line; of what is longer it has the beginning.
MOST = 200
#: So much of a text is looked at for a line that says something.
_MOST_READ = 20_000
_TERMINAL_CODES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_TRACEBACK = re.compile(r"(?:\w+ )*Traceback \(most recent call last\)", re.IGNORECASE)
_NO_MESSAGE = re.compile(r"goroutine \d+ \[|stack ?(?:back)?trace:?$", re.IGNORECASE)
#: Where a map has the kind of an error, and what it says.
_KIND_KEYS = ("type", "kind", "name", "class")
_MESSAGE_KEYS = ("message", "msg", "reason", "description", "error", "detail")


def one_line(value: Any) -> str:
    """Return the first line of a value that says something, without control characters, of at most ``MOST`` characters.

    A traceback of Python has its message at the end.
    """
    text = _TERMINAL_CODES.sub("", as_text(value)[:_MOST_READ])
    lines = [line for line in text.splitlines() if any(map(str.isalnum, line)) and not _NO_MESSAGE.match(line.strip())]
    if not lines:
        return ""
    found = lines[0]
    if _TRACEBACK.match(found):
        found = next((line for line in reversed(lines) if not line[0].isspace()), found)
    if not found.isprintable():
        found = "".join(letter if letter.isprintable() else " " for letter in found)
    found = " ".join(found.split())
    return found if len(found) <= MOST else f"{found[: MOST - 1].rstrip()}\u2026"


def as_text(value: Any) -> str:
    """Return a value as text: a list by lines, a map or JSON by its type and message."""
    if value is None:
        return ""
    value = parsed(value)
    if isinstance(value, list):
        return "\n".join(map(as_text, value))
    if isinstance(value, dict):
        kind, message = (
            next((as_text(value[key]) for key in keys if value.get(key)), "") for keys in (_KIND_KEYS, _MESSAGE_KEYS)
        )
        return ": ".join(filter(None, (kind, message))) or json.dumps(value, ensure_ascii=False)
    return str(value).lower() if isinstance(value, bool) else str(value)


def parsed(value: Any) -> Any:
    """Return what JSON text means, anything else as it is."""
    if isinstance(value, str) and value[:1] in {"{", "["} and len(value) <= _MOST_READ:
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value
