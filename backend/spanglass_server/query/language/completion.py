"""What could be typed at a place in a filter, without asking the database: that is the caller's part."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from spanglass_server.query.language.parsing.scanner import FOLLOWS_KEY, KEY_KINDS, Lexeme, scan
from spanglass_server.query.language.parsing.text import unquote


class Expects(StrEnum):
    """What stands at the cursor."""

    KEY = "key"
    OPERATOR = "operator"
    VALUE = "value"


@dataclass(frozen=True, slots=True)
class CompletionContext:
    """What to offer at the cursor: keys (or words), operators after ``key``, or values of ``key``.

    ``prefix`` is what is already typed of it, without quotes; a choice replaces ``text[start:end]``.
    """

    expects: Expects
    key: str | None
    prefix: str
    start: int
    end: int


def completion_context(text: str, cursor: int) -> CompletionContext:
    """Look at a text with the cursor before its character ``cursor`` (from 0). The text may be unfinished or wrong."""
    cursor = max(0, min(cursor, len(text)))
    before = scan(text[:cursor])
    current = before.pop() if before and _is_touched(before[-1], cursor) else None
    key = _key_of_value(text, before)
    if current is None:
        expects_operator = key is None and bool(before) and _is_key(before[-1])
        operand = _text(text, before[-1]) if expects_operator else key
        expects = Expects.OPERATOR if expects_operator else Expects.VALUE if key is not None else Expects.KEY
        return CompletionContext(expects, operand, "", cursor, cursor)
    end = _end_in(text, current, cursor)
    if current.kind == "COMPARISON":
        operand = _text(text, before[-1]) if before and _is_key(before[-1]) else None
        return CompletionContext(Expects.OPERATOR, operand, _text(text, current), current.start, end)
    prefix = _prefix(text[current.start : cursor], current)
    return CompletionContext(Expects.VALUE if key is not None else Expects.KEY, key, prefix, current.start, end)


def _is_touched(lexeme: Lexeme, cursor: int) -> bool:
    """Return whether the cursor is in or right behind a piece that typing would prolong."""
    if lexeme.kind == "BAD":
        return True
    return lexeme.end == cursor and lexeme.kind in KEY_KINDS | {"VALUE", "AND", "OR", "NOT_EXISTS", "EXISTS", "IN"}


def _key_of_value(text: str, before: list[Lexeme]) -> str | None:
    """Return the key whose value comes next: after a comparison, or in the brackets of a list."""
    if len(before) > 1 and before[-1].kind == "COMPARISON" and _is_key(before[-2]):
        return _text(text, before[-2])
    depth = len(before) - 1
    while depth > 0 and (before[depth].is_value or before[depth].kind == "COMMA"):
        depth -= 1
    opened = depth > 1 and before[depth].kind == "LPAR" and before[depth - 1].kind in FOLLOWS_KEY
    ready = before and before[-1].kind in ("LPAR", "COMMA")
    return _text(text, before[depth - 2]) if opened and ready else None


def _is_key(lexeme: Lexeme) -> bool:
    return lexeme.kind in KEY_KINDS and not lexeme.is_value


def _text(text: str, lexeme: Lexeme) -> str:
    return text[lexeme.start : lexeme.end]


def _end_in(text: str, current: Lexeme, cursor: int) -> int:
    """Find the end of the piece in the whole text: the cursor may stand in its middle."""
    whole = next((lexeme for lexeme in scan(text) if lexeme.start == current.start), None)
    return cursor if whole is None or whole.kind == "BAD" else max(whole.end, cursor)


def _prefix(written: str, current: Lexeme) -> str:
    if current.kind == "STRING":
        return unquote(written)
    return unquote(written + written[0]) if current.kind == "BAD" else written
