"""Cuts a filter's text into lexemes. Never fails: what fits nowhere becomes a ``BAD`` lexeme.

A scanner of our own feeds the grammar, because a bare value may hold what ends a bare key (``url.full:http://a/?b=c``),
and because colouring and completion need lexemes of text that does not parse.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.query.language.parsing.ast import POSITIONS, Relation
from spanglass_server.query.language.parsing.text import BARE_VALUE, BARE_WORD, KEYWORDS, QUOTED

if TYPE_CHECKING:
    from collections.abc import Iterator

_SPACE = re.compile(r"\s*")
_COMPARISON = re.compile(r":?(?:!=|!~|>=|<=|==|=~|=|<|>|~)|:")
_POSITIONED = re.compile(rf"(?:{'|'.join(POSITIONS)})\.(?:{QUOTED.pattern})", re.DOTALL)
#: Only right before a bracket: "child (a or b)" is a word and a group.
_RELATION = re.compile(rf"(?:{'|'.join(Relation)})(?=\()", re.IGNORECASE)
_PUNCTUATION = {"(": "LPAR", ")": "RPAR", ",": "COMMA"}

#: What can follow a key instead of a comparison. ``in`` is one only before a bracket: "timeout in checkout" is text.
_AFTER_KEY = (
    ("NOT_IN", re.compile(r"not\s+in(?=\s*\()", re.IGNORECASE)),
    ("IN", re.compile(r"in(?=\s*\()", re.IGNORECASE)),
    ("NOT_EXISTS", re.compile(r"not\s+exists(?=[\s)]|$)", re.IGNORECASE)),
    ("EXISTS", re.compile(r"exists(?=[\s)]|$)", re.IGNORECASE)),
)

KEY_KINDS = frozenset({"WORD", "STRING", "POSITIONED"})
FOLLOWS_KEY = frozenset({"COMPARISON", "IN", "NOT_IN", "EXISTS", "NOT_EXISTS"})


@dataclass(frozen=True, slots=True)
class Lexeme:
    """A piece of a filter: a terminal of the grammar (or ``BAD``) and where it stands, in characters from 0."""

    kind: str
    start: int
    end: int
    is_value: bool = False


def scan(text: str) -> list[Lexeme]:
    """All lexemes of a text, in order, without the spaces between them."""
    return list(_lexemes(text))


def _lexemes(text: str) -> Iterator[Lexeme]:
    before: Lexeme | None = None
    in_list = False
    position = _skip_space(text, 0)
    while position < len(text):
        wants_value = in_list or (before is not None and before.kind == "COMPARISON")
        before_is_key = before is not None and before.kind in KEY_KINDS and not before.is_value
        opens_list = before is not None and before.kind in ("IN", "NOT_IN")
        before = _lexeme(text, position, wants_value=wants_value, before_is_key=before_is_key)
        yield before
        in_list = (in_list or opens_list) and before.kind != "RPAR"
        position = _skip_space(text, before.end)


def _skip_space(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _lexeme(text: str, start: int, *, wants_value: bool, before_is_key: bool) -> Lexeme:
    character = text[start]
    if character in _PUNCTUATION:
        return Lexeme(_PUNCTUATION[character], start, start + 1)
    if character in "\"'":
        return _quoted(text, start, wants_value=wants_value)
    if wants_value:
        return _value(text, start)
    if before_is_key:
        for kind, pattern in _AFTER_KEY:
            if match := pattern.match(text, start):
                return Lexeme(kind, start, match.end())
    return _outside_value(text, start)


def _outside_value(text: str, start: int) -> Lexeme:
    """Scan a comparison, a negation, a key or a word."""
    if match := _COMPARISON.match(text, start):
        return Lexeme("COMPARISON", start, match.end())
    if text[start] == "!" or (text[start] == "-" and text[start + 1 : start + 2].strip(" \t\r\n)")):
        return Lexeme("NOT", start, start + 1)
    if match := _POSITIONED.match(text, start):
        return Lexeme("POSITIONED", start, match.end())
    if match := _RELATION.match(text, start):
        return Lexeme("RELATION", start, match.end())
    match = BARE_WORD.match(text, start)
    if match is None:  # pragma: no cover - every other first character is taken care of above
        return Lexeme("BAD", start, start + 1)
    return Lexeme(KEYWORDS.get(match[0].lower(), "WORD"), start, match.end())


def _value(text: str, start: int) -> Lexeme:
    match = BARE_VALUE.match(text, start)
    if match is None:
        return _outside_value(text, start)
    kind = KEYWORDS.get(match[0].lower())
    return Lexeme(kind, start, match.end()) if kind else Lexeme("VALUE", start, match.end(), is_value=True)


def _quoted(text: str, start: int, *, wants_value: bool) -> Lexeme:
    match = QUOTED.match(text, start)
    if match is None:
        return Lexeme("BAD", start, len(text), is_value=wants_value)
    return Lexeme("STRING", start, match.end(), is_value=wants_value)
