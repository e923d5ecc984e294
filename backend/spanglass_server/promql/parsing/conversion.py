"""From the parser library's syntax tree to our own, with the places that the library does not tell.

Nodes are visited in the order of the text, so the token of each is the next of its kind behind the last one.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

import promql_parser as library

from spanglass_server.promql.parsing import nodes
from spanglass_server.promql.parsing.rewriting import ANY_NAME, LONGEST_MS, OUT_OF_RANGE, milliseconds
from spanglass_server.promql.parsing.tokens import parse_error
from spanglass_server.promql.ports import Matcher, Operator
from spanglass_server.promql.series.labels import NAME

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_server.promql.parsing.rewriting import Rewritten
    from spanglass_server.promql.parsing.tokens import Token

_OPERATORS: dict[str, Operator] = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}
_MATCHING_WORDS = ("bool", "on", "ignoring", "group_left", "group_right", "fill", "fill_left", "fill_right")
_BEFORE_SIGN = ("(", ",", "+", "-", "*", "/", "%", "^", "==", "!=", "<", "<=", ">", ">=", "bool", "atan2")
_NUMBER_NAMES = ("inf", "nan")


class Conversion:
    """The conversion of one expression. ``parse_duration`` parses the tokens of a duration that is an expression."""

    def __init__(self, rewritten: Rewritten, parse_duration: Callable[[list[Token]], nodes.Expr]) -> None:
        self._tokens = rewritten.tokens
        self._durations = rewritten.durations
        self._parse_duration = parse_duration
        self._place = 0

    def expr(self, node: Any) -> nodes.Expr:  # noqa: PLR0911 - a case a kind of node
        """Convert an expression of the library."""
        match node:
            case library.NumberLiteral():
                return nodes.Number(node.val, self._number_position())
            case library.StringLiteral():
                return nodes.String(node.val, self._next_kind("string"))
            case library.VectorSelector():
                return self._vector_selector(node)
            case library.MatrixSelector():
                return self._matrix_selector(node)
            case library.SubqueryExpr():
                return self._subquery(node)
            case library.ParenExpr():
                return self._paren(node)
            case library.Call():
                return self._call(node)
            case library.AggregateExpr():
                return self._aggregate(node)
            case library.UnaryExpr():
                return nodes.Negation(position=self._next_text("-"), expr=self.expr(node.expr))
            case _:
                return self._binary(node)

    def _vector_selector(self, node: Any) -> nodes.VectorSelector:
        position = self._next(lambda token: token.kind == "name" or token.text == "{")
        if self._tokens.items[self._place - 1].text == "{":
            self._place -= 1
        if self._tokens.is_at(self._place, "{"):
            self._place = self._tokens.closing[self._place] + 1
        mode, at = self._modifiers()
        matchers, any_of = _matchers(node)
        name = node.name or next((m.value for m in matchers if m.name == NAME and m.operator == "="), "")
        return nodes.VectorSelector(name, matchers, any_of, self._duration(node.offset) or 0, at, mode, position)

    def _matrix_selector(self, node: Any) -> nodes.MatrixSelector:
        selector = self._vector_selector(node.vector_selector)
        return nodes.MatrixSelector(selector, self._duration(node.range) or 0, selector.position)

    def _subquery(self, node: Any) -> nodes.Subquery:
        inner = self.expr(node.expr)
        self._next_text("[")
        self._place = self._tokens.closing[self._place - 1] + 1
        mode, at = self._modifiers()
        if mode:
            message = f"{mode} modifier is not supported for subqueries"
            raise parse_error(self._tokens.text, inner.position, message)
        length, step, offset = (self._duration(part) for part in (node.range, node.step, node.offset))
        return nodes.Subquery(inner, length or 0, step, offset or 0, at, inner.position)

    def _paren(self, node: Any) -> nodes.Paren:
        position = self._next_text("(")
        closing = self._tokens.closing[self._place - 1]
        inner = self.expr(node.expr)
        self._place = closing + 1
        return nodes.Paren(inner, position)

    def _call(self, node: Any) -> nodes.Call:
        position = self._next_text(node.func.name)
        closing = self._inside()
        args = tuple(self.expr(arg) for arg in node.args)
        self._place = closing + 1
        if node.func.name == "info" and len(args) > 1 and not self._is_bare(args[1]):
            message = "expected label selectors only, got vector selector instead"
            raise parse_error(self._tokens.text, args[1].position, message)
        return nodes.Call(node.func.name, args, position)

    def _is_bare(self, selector: nodes.Expr) -> bool:
        """Whether a selector has no name before its braces."""
        return self._tokens.text[selector.position] == "{"

    def _aggregate(self, node: Any) -> nodes.Aggregate:
        op = str(node.op)
        position = self._next_text(op)
        self._skip_groups("by", "without")
        closing = self._inside()
        param = None if node.param is None else self.expr(node.param)
        inner = self.expr(node.expr)
        self._place = closing + 1
        self._skip_groups("by", "without")
        if op in ("limitk", "limit_ratio") and param is not None and not nodes.is_scalar(param):
            message = "expected type scalar in aggregation parameter, got instant vector"
            raise parse_error(self._tokens.text, param.position, message)
        labels = tuple(node.modifier.labels) if node.modifier else ()
        without = bool(node.modifier) and node.modifier.type == library.AggModifierType.Without
        return nodes.Aggregate(op, inner, param, labels, without, position)

    def _binary(self, node: Any) -> nodes.Binary:
        left = self.expr(node.lhs)
        written = str(node.op)
        self._next(lambda token: token.written.lower() == written)
        op = self._tokens.items[self._place - 1].text.lower()
        self._skip_groups(*_MATCHING_WORDS)
        right = self.expr(node.rhs)
        is_bool = node.modifier is not None and node.modifier.return_bool
        return nodes.Binary(op, left, right, _matching(node.modifier), is_bool, left.position)

    def _duration(self, found: timedelta | None) -> int | nodes.Expr | None:
        """What a placeholder stands for: milliseconds, or an expression."""
        if found is None:
            return None
        tokens = self._durations[round(found / timedelta(milliseconds=1))]
        sign = {"-": -1, "+": 1}.get(tokens[0].text)
        length = milliseconds(tokens[-1])
        if length is not None and length > LONGEST_MS:
            raise parse_error(self._tokens.text, tokens[-1].start, OUT_OF_RANGE)
        if length is not None and len(tokens) == 1:
            return length
        if length is not None and sign is not None and len(tokens) == len("-1"):
            return sign * length
        return self._parse_duration(tokens)

    def _inside(self) -> int:
        """Step into the parentheses that begin here, so that what is inside finds its own; return where they end."""
        self._place += 1
        return self._tokens.closing[self._place - 1]

    def _next(self, is_meant: Callable[[Token], bool]) -> int:
        while not is_meant(self._tokens.items[self._place]):
            self._place += 1
        self._place += 1
        return self._tokens.items[self._place - 1].start

    def _next_text(self, text: str) -> int:
        return self._next(lambda token: token.text.lower() == text)

    def _next_kind(self, kind: str) -> int:
        return self._next(lambda token: token.kind == kind)

    def _number_position(self) -> int:
        """Where a number begins: at its sign, if that is not an operator between two operands."""
        position, place = self._next(self._is_number), self._place - 2
        tokens = self._tokens
        signed = tokens.is_at(place, "+", "-") and (place == 0 or tokens.items[place - 1].text in _BEFORE_SIGN)
        return tokens.start(place) if place >= 0 and signed else position

    @staticmethod
    def _is_number(token: Token) -> bool:
        return token.kind in ("number", "duration") or token.text.lower() in _NUMBER_NAMES

    def _skip_groups(self, *words: str) -> None:
        """Skip words, each with the parentheses behind it."""
        while self._tokens.is_at(self._place, *words):
            bare = self._tokens.is_at(self._place, "bool")
            self._place += 1
            if not bare and self._tokens.is_at(self._place, "("):
                self._place = self._tokens.closing[self._place] + 1

    def _modifiers(self) -> tuple[nodes.Mode, nodes.At | None]:
        """Skip what stands behind a selector or subquery, and tell its mode and time.

        The time of ``@`` is read from the tokens, as the library knows none before 1970.
        """
        mode: nodes.Mode = ""
        at: nodes.At | None = None
        tokens = self._tokens
        while True:
            if tokens.is_at(self._place, "[") and not self._is_subquery():
                self._place = tokens.closing[self._place] + 1
            elif tokens.is_at(self._place, "offset"):
                self._skip_value()
            elif tokens.is_at(self._place, "@"):
                begin = self._place + 1
                self._skip_value()
                at = _at(tokens.items[begin : self._place])
            elif tokens.is_at(self._place, "anchored", "smoothed") and not tokens.items[self._place].written:
                mode = "anchored" if tokens.is_at(self._place, "anchored") else "smoothed"
                self._place += 1
            else:
                return mode, at

    def _is_subquery(self) -> bool:
        inside = self._tokens.items[self._place : self._tokens.closing[self._place]]
        return any(token.text == ":" for token in inside)

    def _skip_value(self) -> None:
        self._place += 1
        while self._tokens.is_at(self._place, "+", "-"):
            self._place += 1
        if self._tokens.kind(self._place) == "name":
            self._place += 1
        self._place = self._tokens.closing.get(self._place, self._place) + 1


def _at(tokens: list[Token]) -> nodes.At:
    """The time behind ``@``: a number of seconds, with a sign or without, or start() or end()."""
    word = tokens[0].text.lower()
    if word in ("start", "end"):
        return "start" if word == "start" else "end"
    negative = sum(token.text == "-" for token in tokens) % 2
    milliseconds_ = milliseconds(tokens[-1]) or 0
    return -milliseconds_ if negative else milliseconds_


def _matchers(node: Any) -> tuple[tuple[Matcher, ...], tuple[tuple[Matcher, ...], ...]]:
    named = (Matcher(NAME, "=", node.name),) if node.name else ()
    common = tuple(matcher for matcher in map(_matcher, node.matchers.matchers) if matcher.value != ANY_NAME)
    return named + common, tuple(tuple(map(_matcher, group)) for group in node.matchers.or_matchers)


def _matcher(found: Any) -> Matcher:
    return Matcher(found.name, _OPERATORS[str(found.op).rpartition(".")[2]], found.value)


def _matching(modifier: Any) -> nodes.Matching:
    if modifier is None:
        return nodes.Matching()
    many: dict[str, Literal["left", "right"]] = {"ManyToOne": "left", "OneToMany": "right"}
    labels = modifier.matching
    return nodes.Matching(
        on=labels is not None and labels.type == library.LabelModifierType.Include,
        labels=tuple(labels.labels) if labels is not None else (),
        many=many.get(str(modifier.card).rpartition(".")[2], ""),
        include=tuple(modifier.group_labels or ()),
        fill_left=modifier.fill_values.lhs,
        fill_right=modifier.fill_values.rhs,
    )
