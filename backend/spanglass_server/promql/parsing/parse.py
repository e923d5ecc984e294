"""From the text of a PromQL expression to its syntax tree."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from spanglass_server.promql.errors import PromqlError
from spanglass_server.promql.parsing import syntax
from spanglass_server.promql.parsing.conversion import Conversion
from spanglass_server.promql.parsing.places import explained
from spanglass_server.promql.parsing.rewriting import rewrite
from spanglass_server.promql.parsing.tokens import Token, Tokens, parse_error, tokenize

if TYPE_CHECKING:
    from spanglass_server.promql.parsing import nodes

#: The library takes seconds for so many.
_MOST_TOKENS = 5000
TOO_DEEP = "the expression is nested too deeply; split it into several queries"


def parse(text: str) -> nodes.Expr:
    """The syntax tree of an expression. Raises ``PromqlError`` of the kind ``bad_data``, with the place."""
    return _remembered(text) if len(text) <= _LONGEST_REMEMBERED else _parse(text)


def _parse(text: str) -> nodes.Expr:
    tokens = tokenize(text)
    if not tokens.items:
        raise parse_error(text, 0, "no expression found in input")
    if len(tokens.items) > _MOST_TOKENS:
        message = f"the expression is too long: {len(tokens.items)} tokens of at most {_MOST_TOKENS}; split it"
        raise parse_error(text, 0, message)
    try:
        return _parse_tokens(tokens)
    except RecursionError:
        raise PromqlError("bad_data", TOO_DEEP) from None


#: Dashboards and rules ask the same again and again; a tree has about ten times the size of its text.
_LONGEST_REMEMBERED = 4096
_remembered = lru_cache(maxsize=4096)(_parse)


def _parse_tokens(tokens: Tokens) -> nodes.Expr:
    rewritten = rewrite(tokens)
    try:
        tree = syntax.parse(rewritten.text())
    except ValueError as error:
        raise parse_error(tokens.text, *explained(str(error), tokens)) from None

    def parse_duration(inside: list[Token]) -> nodes.Expr:
        return _parse_part(tokens.text, inside)

    try:
        return Conversion(rewritten, parse_duration).expr(tree)
    except IndexError:  # tokens that the library reads otherwise than we do
        raise PromqlError("bad_data", f"the expression cannot be read: {tokens.text}") from None


def _parse_part(text: str, inside: list[Token]) -> nodes.Expr:
    """The expression of a few tokens in the middle of a text, whose places stay those of the text."""
    begin, end = inside[0].start, inside[-1].end
    return _parse_tokens(tokenize(" " * begin + text[begin:end]))
