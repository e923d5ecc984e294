"""Where in the text an error of the parser library is, which tells no places."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import promql_parser as library

if TYPE_CHECKING:
    from spanglass_server.promql.parsing.tokens import Tokens

_QUOTED = re.compile(r"'([^']*)'")
_OPERATOR = re.compile(r"comparisons between scalars|set operator|binary expression")


def place_of(message: str, tokens: Tokens) -> int:
    """Where the error is that a message of the library is about."""
    quoted = _QUOTED.search(message)
    named = [token.start for token in tokens.items if quoted and token.text.lower() == quoted.group(1).lower()]
    if named:
        return named[0]
    if _OPERATOR.search(message):
        return tokens.start(0)
    return tokens.start(_first_bad(tokens))


def _first_bad(tokens: Tokens) -> int:
    """The place of the first token that cannot follow those before it: without it, only the end is missing."""
    for end in range(1, len(tokens.items) + 1):
        if not _can_go_on(tokens, end):
            return end - 1
    return len(tokens.items)


def _can_go_on(tokens: Tokens, end: int) -> bool:
    """Whether some ending makes an expression of the first tokens."""
    begin = " ".join(token.written for token in tokens.items[:end] if token.written)
    open_ = [place for place, right in tokens.closing.items() if place < end <= right]
    closing = "".join({"(": ")", "[": "]", "{": "}"}[tokens.items[place].text] for place in sorted(open_, reverse=True))
    return any(_is_expression(f"{begin} {ending}{closing}") for ending in _ENDINGS)


_ENDINGS = (
    "",
    "x",
    "1",
    "1m",
    "(x)",
    "='x'",
    "'x'",
    "[1m]",
    "(x[1m])",
    "(1, x)",
    "(x) x",
    "x)",
    "{a='b'}",
    "1m]",
    "()",
)


def _is_expression(text: str) -> bool:
    try:
        library.parse(text)
    except ValueError as error:
        return "expected type" in str(error) or "wrong number of arguments" in str(error)
    return True
