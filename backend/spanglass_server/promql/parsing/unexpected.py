"""The first token that cannot stand where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.promql.parsing import syntax

if TYPE_CHECKING:
    from spanglass_server.promql.parsing.tokens import Token, Tokens

#: What may follow the beginning of an expression and make it whole.
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
#: In longer texts no place is looked for: the library takes seconds for them.
_MOST_TOKENS = 300
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_KEYWORDS = (
    "by", "without", "on", "ignoring", "group_left", "group_right", "bool", "offset", "fill", "fill_left", "fill_right",
)  # fmt: skip
_OPERATORS = (
    "+", "-", "*", "/", "%", "^", "==", "!=", "<", "<=", ">", ">=", "=~", "!~", "@", "and", "or", "unless", "atan2",
)  # fmt: skip


def unexpected(tokens: Tokens) -> tuple[int, str]:
    """Where the first token is that does not fit, and what it is."""
    if len(tokens.items) > _MOST_TOKENS:
        return 0, "syntax error; the expression is too long to tell where"
    place = first_bad(tokens)
    token = tokens.items[place] if place < len(tokens.items) else None
    return tokens.start(place), f"unexpected {_described(token)}"


def first_bad(tokens: Tokens) -> int:
    """The place of the first token that cannot follow those before it: without it, only the end is missing.

    What cannot go on cannot go on with more tokens either, so the place is found by halving.
    """
    if len(tokens.items) > _MOST_TOKENS:
        return len(tokens.items)
    good, bad = 0, len(tokens.items) + 1
    while bad - good > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if _can_go_on(tokens, middle) else (good, middle)
    return good


def _described(token: Token | None) -> str:
    if token is None:
        return "end of input"
    word = token.text.lower()
    if word in _KEYWORDS:
        return f"<{word}>"
    if word in _OPERATORS:
        return f"<op:{word}>"
    kind = {"name": "identifier ", "number": "number ", "duration": "duration ", "string": "string "}.get(
        token.kind, ""
    )
    return kind + (token.text if token.kind == "string" else f'"{token.text}"')


def _can_go_on(tokens: Tokens, end: int) -> bool:
    """Whether some ending makes an expression of the first tokens."""
    begin = " ".join(token.written for token in tokens.items[:end] if token.written)
    open_ = [place for place, right in tokens.closing.items() if place < end <= right]
    closing = "".join(_CLOSING[tokens.items[place].text] for place in sorted(open_, reverse=True))
    return any(_is_expression(f"{begin} {ending}{closing}") for ending in _ENDINGS)


def _is_expression(text: str) -> bool:
    try:
        syntax.parse(text)
    except ValueError as error:
        return not str(error).startswith((syntax.NOT_READ, "unexpected", "no expression"))
    return True
