"""The filter language, as far as pages write it: terms joined to what the reader wrote."""

from __future__ import annotations

from typing import Any

#: Keys of the filter language that pages name themselves.
SERVICE, OPERATION, TRACE_ID, SPAN_ID = "service.name", "name", "trace_id", "span_id"
ERRORS = "status = error"
#: Values that the language takes as bare words, by key.
WORDS = frozenset({"status", "kind", "severity"})


def quoted(text: str) -> str:
    """Return a string literal of the filter language."""
    escaped = (
        text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    )
    return f'"{escaped}"'


def term(key: str, value: Any, operator: str = "=") -> str:
    """``key = value``, the value quoted when it is a string."""
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, int | float) or key in WORDS:
        text = str(value)
    else:
        text = quoted(str(value))
    return f"{key} {operator} {text}"


def both(first: str, second: str) -> str:
    """Both filters; the first in parentheses where it has an ``or``."""
    if not first.strip():
        return second
    first = f"({first})" if " or " in first.lower() else first
    return f"{first} and {second}"


def without(filter_text: str, unwanted: str) -> str | None:
    """Return the filter less one of its terms joined by ``and``, or nothing if the term does not stand there."""
    if " or " in filter_text.lower() or unwanted not in filter_text:
        return None
    parts = filter_text.split(" and ")
    kept = [part for part in parts if part.strip() != unwanted]
    return " and ".join(kept) if len(kept) < len(parts) else None
