"""The tokens of a PromQL expression, with their places: the parser library tells no positions."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from spanglass_server.promql.errors import PromqlError

TokenKind = Literal["string", "duration", "number", "name", "sign"]

_STRING = r"""(?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`[^`]*`)"""
_DURATION = r"(?P<duration>(?:\d+(?:ms|[smhdwy]))+(?![\w.]))"
_NUMBER = r"(?P<number>0[xX][\da-fA-F_]+(?![\w.])|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?(?![\w.]))"
_SIGN = r"(?P<sign>==|!=|=~|!~|<=|>=|</|>/|[-+*/%^@(){}\[\],:<>=])"
_SPACE = r"(?P<space>\s+|#[^\n]*)"
_COMMON = f"{_SPACE}|{_STRING}|{_DURATION}|{_NUMBER}"
_OUTSIDE = re.compile(rf"{_COMMON}|(?P<name>[A-Za-z_:][\w:]*)|{_SIGN}", re.ASCII)
_IN_BRACKETS = re.compile(rf"{_COMMON}|(?P<name>[A-Za-z_]\w*)|{_SIGN}", re.ASCII)
_CLOSING = {")": "(", "]": "[", "}": "{"}


@dataclass(frozen=True, slots=True)
class Token:
    """A token, and where it begins. ``written`` is what the parser library is given in its place."""

    kind: TokenKind
    text: str
    start: int
    written: str

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.start + len(self.text)


@dataclass(slots=True)
class Tokens:
    """All tokens of a text; ``closing`` gives the place of the bracket that closes an opening one."""

    text: str
    items: list[Token]
    closing: dict[int, int] = field(default_factory=dict)

    def is_at(self, place: int, *texts: str) -> bool:
        """Whether the token at a place is one of these."""
        return place < len(self.items) and self.items[place].text.lower() in texts

    def kind(self, place: int) -> TokenKind | None:
        """The kind of the token at a place; None behind the last."""
        return self.items[place].kind if place < len(self.items) else None

    def start(self, place: int) -> int:
        """Where the token at a place begins; the end of the text behind the last."""
        return self.items[place].start if place < len(self.items) else len(self.text)


def tokenize(text: str) -> Tokens:
    """The tokens of a text. Raises ``PromqlError`` for what is no token, and for brackets that do not fit."""
    tokens = Tokens(text, [])
    open_: list[int] = []
    place = 0
    while place < len(text):
        in_brackets = bool(open_) and tokens.items[open_[-1]].text == "["
        found = (_IN_BRACKETS if in_brackets else _OUTSIDE).match(text, place)
        if found is None:
            raise parse_error(text, place, _no_token(text, place))
        kind = found.lastgroup
        if kind != "space":
            _check_bracket(tokens, open_, found.group(), place)
            tokens.items.append(Token(kind, found.group(), place, found.group()))  # type: ignore[arg-type]
        place = found.end()
    if open_:
        bracket = tokens.items[open_[-1]].text
        message = "unexpected end of input inside braces" if bracket == "{" else f"unclosed left {_BRACKETS[bracket]}"
        raise parse_error(text, len(text), message)
    return tokens


_BRACKETS = {"(": "parenthesis", "[": "bracket", "{": "brace", ")": "parenthesis", "]": "bracket", "}": "brace"}


def _check_bracket(tokens: Tokens, open_: list[int], sign: str, place: int) -> None:
    if sign in ("(", "[", "{"):
        open_.append(len(tokens.items))
    elif sign in _CLOSING:
        if not open_ or tokens.items[open_[-1]].text != _CLOSING[sign]:
            # Prometheus' place of a closing bracket too many is the one behind it.
            raise parse_error(tokens.text, place + 1, f"unexpected right {_BRACKETS[sign]} '{sign}'")
        tokens.closing[open_.pop()] = len(tokens.items)


def _no_token(text: str, place: int) -> str:
    if text[place] in "\"'`":
        return "unterminated quoted string" if text[place] != "`" else "unterminated raw string"
    if text[place].isdigit():
        bad = re.compile(r"[\w.]+").match(text, place)
        return f'bad number or duration syntax: "{bad.group() if bad else text[place]}"'
    return f"unexpected character: {text[place]!r}"


def line_and_column(text: str, place: int) -> tuple[int, int]:
    """The line and column of a place in a text, both from 1."""
    return text.count("\n", 0, place) + 1, place - (text.rfind("\n", 0, place) + 1) + 1


def parse_error(text: str, place: int, message: str) -> PromqlError:
    """An error at a place, in Prometheus' words: ``1:5: parse error: ...``."""
    line, column = line_and_column(text, place)
    return PromqlError("bad_data", f"{line}:{column}: parse error: {message}", (line, column))
