"""Where keys, operators and values stand in a filter, to colour it; also while it is half written or wrong."""

from __future__ import annotations

from itertools import zip_longest
from typing import Literal

from spanglass_core.units import UnitError, parse_quantity
from spanglass_server.query.errors import FilterError
from spanglass_server.query.language.parsing.parser import parse_filter
from spanglass_server.query.language.parsing.scanner import FOLLOWS_KEY, KEY_KINDS, Lexeme, scan

TokenKind = Literal["key", "operator", "string", "number", "word", "bad"]


def tokens(text: str) -> list[tuple[int, int, TokenKind]]:
    """List start, end (characters from 0) and kind of each piece: key, operator, string, number, word or bad.

    ``bad`` is the piece where the text stops being a filter: an open quote, or what does not belong there.
    """
    lexemes = scan(text)
    wrong_at = _error_position(text)
    found: list[tuple[int, int, TokenKind]] = []
    for lexeme, after in zip_longest(lexemes, lexemes[1:]):
        is_wrong = lexeme.start <= wrong_at < lexeme.end
        found.append((lexeme.start, lexeme.end, "bad" if is_wrong else _kind(text, lexeme, after)))
    return found


def _error_position(text: str) -> int:
    try:
        parse_filter(text)
    except FilterError as error:
        return error.column - 1
    return -1


def _kind(text: str, lexeme: Lexeme, after: Lexeme | None) -> TokenKind:
    if lexeme.kind == "BAD":
        return "bad"
    if lexeme.is_value:
        return "number" if lexeme.kind == "VALUE" and _is_number(text[lexeme.start : lexeme.end]) else "string"
    if lexeme.kind == "RELATION":
        return "key"
    if lexeme.kind not in KEY_KINDS:
        return "operator"
    if after is not None and after.kind in FOLLOWS_KEY:
        return "key"
    return "string" if lexeme.kind == "STRING" else "word"


def _is_number(text: str) -> bool:
    try:
        parse_quantity(text)
    except UnitError:
        return False
    return True
