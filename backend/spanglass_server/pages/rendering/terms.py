"""The filter language (docs/filter-language.md), as far as pages write it: terms joined to what the reader wrote."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from spanglass_server.query.language import FilterError, format_filter, parse_filter
from spanglass_server.query.language.choices import choice_of, of_values, values_of, with_choice
from spanglass_server.query.language.compiling.pins import IS
from spanglass_server.query.language.compiling.relations import TRACE_FIELDS
from spanglass_server.query.language.intrinsics import INTRINSICS, SHORT_NAMES
from spanglass_server.query.language.parsing.ast import Field, In, Value
from spanglass_server.query.language.parsing.scanner import scan
from spanglass_server.query.language.parsing.text import QUOTED, format_field, quote
from spanglass_server.signals import SENT

if TYPE_CHECKING:
    from spanglass_server.query.language.choices import Choice
    from spanglass_server.query.language.parsing.ast import Filter
    from spanglass_server.signals import Signal

#: Keys of the filter language that pages name themselves.
SERVICE, OPERATION, TRACE_ID, LINKED_TRACE = "service.name", "name", "trace_id", "link.trace_id"
ERRORS = "status = error"
#: Keys whose values are words of a fixed list, which read better without quotes.
WORDS = frozenset({"status", "kind", "severity"})

#: Names of what every record has, of any signal that has attributes: one that is called so is meant in quotes only.
FIELDS = frozenset((*SHORT_NAMES, *TRACE_FIELDS, IS)).union(*(INTRINSICS[signal] for signal in SENT))

#: What makes a filter one of several, and quoted text, in which it does not.
JOINS = re.compile(rf"{QUOTED.pattern}|(?P<either>\bor\b|\|\|)", re.DOTALL | re.IGNORECASE)


def term(key: str, value: Any, operator: str = "=") -> str:
    """Write ``key = value``, quoted where the language needs it."""
    text = text_of(value)
    is_bare = isinstance(value, int | float) or key in WORDS
    return f"{format_field(Field(key))} {operator} {text if is_bare else quote(text)}"


def attribute(key: str, value: Any) -> str:
    """Write that an attribute has a value, also one that is called like a field that every record has."""
    text = term("", value).removeprefix('"" ')
    return f"{format_field(Field(key, quoted=key in FIELDS))} {text}"


def is_lost(key: str) -> bool:
    """Whether a key of a body cannot be written: quoted it would be an attribute's."""
    return key.startswith("body.") and format_field(Field(key)) != key


def both(first: str, second: str) -> str:
    """Join two filters; the first stands in brackets where it has an ``or``."""
    if not first.strip():
        return second
    has_or = any(match["either"] for match in JOINS.finditer(first))
    return f"({first}) and {second}" if has_or else f"{first} and {second}"


def chosen(filter_text: str, key: str, signal: Signal) -> list[str]:
    """Return the values of a key that a filter chooses, with ``=`` or ``in``, under any of the key's names."""
    choice = choice_of(_tree(filter_text), Field(key), signal)
    return [value.text for value in values_of(choice)] if choice else []


def toggled(filter_text: str, key: str, value: Any, signal: Signal) -> str:
    """Choose one more value of a key, or no longer choose it; the rest of the filter stays as it is written.

    Several values are joined by ``in``.
    """
    tree = _tree(filter_text)
    choice = choice_of(tree, Field(key), signal)
    if choice is None:
        return both(filter_text, term(key, value))
    wanted = _value(key, value)
    left = [each for each in values_of(choice) if each.text != wanted.text]
    values = left if len(left) < len(values_of(choice)) else [*left, wanted]
    other = of_values(choice.field, values)
    meant = with_choice(tree, choice, other)
    text = _spliced(filter_text, choice, other)
    return text if _means(text, meant) else format_filter(meant)


@lru_cache(maxsize=16)
def _tree(filter_text: str) -> Filter:
    """Read a filter; all values of a page's facets ask for the same one."""
    return parse_filter(filter_text)


def text_of(value: Any) -> str:
    """Return the text of a value of a key, as conditions have it."""
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _value(key: str, value: Any) -> Value:
    """Return a value as ``term`` writes it."""
    return Value(text_of(value), quoted=not isinstance(value, int | float) and key not in WORDS)


def _spliced(text: str, choice: Choice, other: Choice | None) -> str:
    """Write another condition where one stands, or take it out with the ``and`` beside it."""
    lexemes = scan(text)
    first = next(place for place, lexeme in enumerate(lexemes) if lexeme.start == choice.field.column - 1)
    last = first + 2  # key, operator, value
    while isinstance(choice, In) and lexemes[last].kind != "RPAR":
        last += 1
    start, end = lexemes[first].start, lexemes[last].end
    if other is not None:
        return text[:start] + format_filter(other) + text[end:]
    if first and lexemes[first - 1].kind == "AND":
        start = lexemes[first - 1].start
    elif last + 1 < len(lexemes) and lexemes[last + 1].kind == "AND":
        end = lexemes[last + 1].end
    return f"{text[:start].rstrip()} {text[end:].lstrip()}".strip()


def _means(text: str, tree: Filter) -> bool:
    try:
        return parse_filter(text) == tree
    except FilterError:
        return False
