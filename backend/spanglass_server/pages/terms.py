"""The filter language (docs/filter-language.md), as far as pages write it: terms joined to what the reader wrote."""

from __future__ import annotations

import re
from typing import Any

from spanglass_server.query.language.ast import Field
from spanglass_server.query.language.intrinsics import INTRINSICS, SHORT_NAMES
from spanglass_server.query.language.text import QUOTED, format_field, quote
from spanglass_server.signals import SENT

#: Keys of the filter language that pages name themselves.
SERVICE, OPERATION, TRACE_ID = "service.name", "name", "trace_id"
ERRORS = "status = error"
#: Keys whose values are words of a fixed list, which read better without quotes.
WORDS = frozenset({"status", "kind", "severity"})

#: Names of what every record has, of any signal that has attributes: one that is called so is meant in quotes only.
FIELDS = frozenset(SHORT_NAMES).union(*(INTRINSICS[signal] for signal in SENT))

#: What joins terms, and quoted text, in which nothing joins.
JOINS = re.compile(rf"{QUOTED.pattern}|(?P<both>\s+and\s+)|(?P<either>\bor\b|\|\|)", re.DOTALL | re.IGNORECASE)


def term(key: str, value: Any, operator: str = "=") -> str:
    """Write ``key = value``, quoted where the language needs it."""
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, int | float) or key in WORDS:
        text = str(value)
    else:
        text = quote(str(value))
    return f"{format_field(Field(key))} {operator} {text}"


def attribute(key: str, value: Any) -> str:
    """Write that an attribute has a value, also one that is called like a field that every record has."""
    text = term("", value).removeprefix('"" ')
    return f"{format_field(Field(key, quoted=key in FIELDS))} {text}"


def both(first: str, second: str) -> str:
    """Join two filters; the first stands in brackets where it has an ``or``."""
    if not first.strip():
        return second
    has_or = any(match["either"] for match in JOINS.finditer(first))
    return f"({first}) and {second}" if has_or else f"{first} and {second}"


def without(filter_text: str, unwanted: str) -> str | None:
    """Return the filter less one of its terms joined by ``and``, or nothing if the term does not stand there."""
    cuts = list(JOINS.finditer(filter_text))
    if any(cut["either"] for cut in cuts):
        return None
    parts, at = [], 0
    for cut in cuts:
        if cut["both"]:
            parts.append(filter_text[at : cut.start()])
            at = cut.end()
    parts.append(filter_text[at:])
    kept = [part for part in parts if part.strip() != unwanted]
    return " and ".join(kept) if len(kept) < len(parts) else None
