"""Texts to matchers, in both notations of Alertmanager: the older one, and the one whose names are any text.

A text that both can read means what it means in the older one, as there.
"""

from __future__ import annotations

import re
from typing import Final, cast

from spanglass_server.notifications.model import Matcher
from spanglass_server.notifications.routing.matchers import MatcherError, check_pattern

_CLASSIC: Final = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|=|!=|!~)\s*(.*?)\s*", re.ASCII | re.DOTALL)
_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<operator>=~|!~|!=|=)|(?P<mark>[{},])|(?P<quoted>"(?:[^"\\\n]|\\.)*")|(?P<word>[^\s{}!=~,\\"'`]+))"""
)
_ESCAPE: Final = re.compile(
    r'\\(?:([abfnrtv\\"])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.?))', re.DOTALL
)
_ESCAPED: Final = dict(zip('abfnrtv\\"', '\a\b\f\n\r\t\v\\"', strict=True))
_HOW = 'write it like team="db", team!="db", team=~"db|web" or team!~"test-.*"'
MAX_CHARACTERS = 10_000


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """Read one or more matchers, with commas between them, in braces or not. ``MatcherError``."""
    if len(text) > MAX_CHARACTERS:
        raise MatcherError(f"longer than {MAX_CHARACTERS} characters")
    if not text.strip():
        raise MatcherError("expected a matcher", hint=_HOW)
    try:
        found = _classic(text)
    except MatcherError as error:
        try:
            found = _Reader(text).matchers()
        except MatcherError as newer:
            # what is wrong with a value that only the older notation can have is told by that
            raise (newer if newer.column or not error.column else error) from None
    for matcher in found:
        if matcher.operator in ("=~", "!~"):
            check_pattern(matcher.value)
    return found


def _classic(text: str) -> tuple[Matcher, ...]:
    return tuple(_classic_one(part) for part in _parts(text.removeprefix("{").removesuffix("}")))


def _parts(text: str) -> list[str]:
    """What stands between commas that are not within quotes; nothing behind the last comma is no part."""
    parts, start, in_quotes, escaped = [], 0, False, False
    for place, character in enumerate(text):
        if character == ",":  # which leaves a backslash before it open, as there
            if not in_quotes:
                parts.append(text[start:place])
                start = place + 1
            continue
        if character == '"' and not escaped:
            in_quotes = not in_quotes
        escaped = character == "\\" and not escaped
    return [*parts, text[start:]] if text[start:].strip() else parts


def _classic_one(text: str) -> Matcher:
    found = _CLASSIC.fullmatch(text)
    if found is None:
        raise MatcherError(f"{text.strip()!r} is no matcher", hint=_HOW)
    operator = cast("str", found[2])
    return _matcher(found[1], operator, _classic_value(found[3]))


def _classic_value(raw: str) -> str:
    """A value with or without quotes. A backslash before another character than n, a quote, itself is one."""
    is_quoted = raw.startswith('"')
    body = raw[1:] if is_quoted else raw
    closing = is_quoted and body.endswith('"') and not _is_escaped(body, len(body) - 1)
    if is_quoted and not closing:
        raise MatcherError(f"the quotes of {raw} are not closed", hint=_HOW)
    body = body[:-1] if closing else body
    value, place = [], 0
    while place < len(body):
        character = body[place]
        if character == '"':
            raise MatcherError(f"a quote within {raw} has no backslash before it", hint=_HOW)
        if character == "\\" and place + 1 < len(body):
            place += 1
            value.append({"n": "\n", '"': '"', "\\": "\\"}.get(body[place], "\\" + body[place]))
        else:
            value.append(character)
        place += 1
    return "".join(value)


def _is_escaped(text: str, place: int) -> bool:
    before = text[:place]
    return bool((len(before) - len(before.rstrip("\\"))) % 2)


class _Reader:
    """The newer notation: names and values are words, or in quotes."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[tuple[str, str, int]] = []
        place, end = 0, len(text.rstrip())
        while place < end:
            found = _TOKEN.match(text, place)
            if found is None:
                at = place + len(text[place:]) - len(text[place:].lstrip())
                raise MatcherError(f"{text[at]!r} can't stand here", at + 1, _HOW)
            kind = cast("str", found.lastgroup)
            self._tokens.append((kind, found[kind], found.start(kind) + 1))
            place = found.end()
        self._next = 0

    def matchers(self) -> tuple[Matcher, ...]:
        """All of them."""
        in_braces = self._is("{")
        found: list[Matcher] = []
        while self._next < len(self._tokens) and self._tokens[self._next][1] != "}":
            found.append(self._matcher())
            if not self._is(","):
                break
        if in_braces and not self._is("}"):
            raise self._unexpected("a comma or }")
        if self._next < len(self._tokens):
            raise self._unexpected("a comma")
        return tuple(found)

    def _matcher(self) -> Matcher:
        name = self._text_of("the name of a label")
        kind, operator, _ = self._peek()
        if kind != "operator":
            raise self._unexpected("=, !=, =~ or !~")
        self._next += 1
        return _matcher(name, operator, self._text_of("a value"))

    def _text_of(self, what: str) -> str:
        kind, text, column = self._peek()
        if kind not in ("word", "quoted"):
            raise self._unexpected(what)
        self._next += 1
        return _unquoted(text, column) if kind == "quoted" else text

    def _is(self, mark: str) -> bool:
        if self._peek()[:2] != ("mark", mark):
            return False
        self._next += 1
        return True

    def _peek(self) -> tuple[str, str, int]:
        return self._tokens[self._next] if self._next < len(self._tokens) else ("", "", len(self._text) + 1)

    def _unexpected(self, expected: str) -> MatcherError:
        _, text, column = self._peek()
        return MatcherError(f"expected {expected}, not {text or 'the end'}", column, _HOW)


def _unquoted(text: str, column: int) -> str:
    def character(found: re.Match[str]) -> str:
        if found[1]:
            return _ESCAPED[found[1]]
        digits = found[2] or found[3] or found[4]
        if digits is None or int(digits, 16) > 0x10FFFF:  # noqa: PLR2004 - the last of Unicode
            raise MatcherError(f"{found[0]} can't stand within quotes", column + found.start() + 1, _HOW)
        return chr(int(digits, 16))

    return _ESCAPE.sub(character, text[1:-1])


def _matcher(name: str, operator: str, value: str) -> Matcher:
    if not name:
        raise MatcherError("the name of a label can't be empty", hint=_HOW)
    return Matcher(name, operator, value)  # type: ignore[arg-type]
