"""Operands and arguments in tokens, for errors that have no syntax tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import promql_parser as library

from spanglass_server.promql.parsing import syntax

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spanglass_server.promql.parsing.tokens import Tokens


def arguments(tokens: Tokens, place: int) -> list[tuple[int, int]]:
    """Where the arguments of a call begin and end; ``place`` is that of its name."""
    opening = place + 1
    if tokens.is_at(opening, "by", "without"):
        opening = tokens.closing.get(opening + 1, opening) + 1
    if opening not in tokens.closing:
        return []
    closing, begin, found = tokens.closing[opening], opening + 1, []
    at = begin
    while at < closing:
        if at in tokens.closing:
            at = tokens.closing[at]
        elif tokens.is_at(at, ","):
            found.append((begin, at))
            begin = at + 1
        at += 1
    return [*found, (begin, closing)] if begin < closing else found


def argument_types(tokens: Tokens, place: int) -> Iterator[tuple[int, str]]:
    """Where the arguments of a call begin, and their types in the library's words."""
    for begin, end in arguments(tokens, place):
        text = " ".join(token.written for token in tokens.items[begin:end] if token.written)
        try:
            yield begin, _type(syntax.parse(text))
        except ValueError:
            continue


def _type(node: Any) -> str:  # noqa: PLR0911 - a case a kind of node
    match node:
        case library.NumberLiteral():
            return "scalar"
        case library.StringLiteral():
            return "string"
        case library.MatrixSelector() | library.SubqueryExpr():
            return "matrix"
        case library.Call():
            return str(node.func.return_type).rpartition(".")[2].lower()
        case library.ParenExpr() | library.UnaryExpr():
            return _type(node.expr)
        case library.BinaryExpr():
            return "scalar" if _type(node.lhs) == _type(node.rhs) == "scalar" else "vector"
        case _:
            return "vector"


def operand_start(tokens: Tokens, place: int) -> int:
    """Where the operands before an operator begin: behind the last open bracket or comma."""
    opening = {right: left for left, right in tokens.closing.items()}
    at = place - 1
    while at >= 0:
        if at in opening:
            at = opening[at]
        elif tokens.items[at].text in ("(", "[", ","):
            return at + 1
        at -= 1
    return 0


def postfix_start(tokens: Tokens, place: int) -> int:
    """Where the expression begins that ends before a modifier: its brackets, and the name before them."""
    opening = {right: left for left, right in tokens.closing.items()}
    at = place - 1
    while at > 0:
        if at in opening:
            at = opening[at]
            if tokens.kind(at - 1) != "name" and tokens.items[at - 1].text not in (")", "]", "}"):
                return at
        elif tokens.kind(at) in ("number", "duration") and tokens.is_at(at - 1, "@", "offset"):
            at -= 1
        elif tokens.kind(at) in ("name", "number", "string", "duration"):
            return at
        at -= 1
    return 0
