"""What is settled before evaluation: durations that are expressions, ``start()`` and ``end()``, the labels named."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from spanglass_server.promql.errors import PromqlError
from spanglass_server.promql.parsing import nodes
from spanglass_server.promql.parsing.parse import parse
from spanglass_server.promql.parsing.rewriting import LONGEST_MS, OUT_OF_RANGE
from spanglass_server.promql.parsing.tokens import parse_error
from spanglass_server.promql.series.labels import NAME
from spanglass_server.promql.series.vectors import Steps

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Functions whose string arguments are names of labels (or patterns, which do no harm).
_NAMING = ("label_replace", "label_join", "sort_by_label", "sort_by_label_desc")
_TIME_FUNCTIONS = (
    "days_in_month", "day_of_month", "day_of_week", "day_of_year", "hour", "minute", "month", "year",
    "time", "timestamp", "predict_linear",
)  # fmt: skip

#: Functions whose value over first, last and extreme samples, and those at resets, is that over all samples.
_OVER_THINNED = (
    "rate", "increase", "delta", "resets", "sum_over_time", "avg_over_time", "count_over_time", "min_over_time",
    "max_over_time", "first_over_time", "last_over_time", "present_over_time", "absent_over_time",
)  # fmt: skip
_OF_TOTALS = ("sum_over_time", "avg_over_time")
#: Functions whose values add up to that of all counts added up, where these have samples at the same times.
_ADDING_UP = ("rate", "increase")


def prepared(expr: nodes.Expr, text: str, steps: Steps) -> tuple[nodes.Expr, frozenset[str]]:
    """An expression, read from ``text``, settled for the steps of its query, and the labels that it names.

    Raises ``PromqlError``.
    """
    kept = for_all_steps(text)
    if kept is not None:
        return kept
    settled = Preparation(text, steps).settled(expr)
    return settled, named_labels(settled)


_LONGEST_REMEMBERED = 4096


def for_all_steps(text: str) -> tuple[nodes.Expr, frozenset[str]] | None:
    """An expression and the labels that it names, settled for any steps; None if it depends on them, or is long."""
    return _settled_once(text) if len(text) <= _LONGEST_REMEMBERED else None


#: Of most expressions nothing depends on the steps, and rules evaluate the same ones again and again.
@lru_cache(maxsize=4096)
def _settled_once(text: str) -> tuple[nodes.Expr, frozenset[str]] | None:
    expr = parse(text)
    if any(map(_depends_on_steps, _all(expr))):
        return None
    settled = Preparation("", Steps(0, 0, 1)).settled(expr)
    return settled, named_labels(settled)


def _all(expr: nodes.Expr) -> Iterator[nodes.Expr]:
    yield expr
    for child in nodes.children(expr):
        yield from _all(child)


def _depends_on_steps(expr: nodes.Expr) -> bool:
    """Whether an expression has to be settled for the steps of each query, or is wrong."""
    match expr:
        case nodes.VectorSelector(offset=offset, at=at):
            return not isinstance(offset, int) or isinstance(at, str)
        case nodes.MatrixSelector(range=length):
            return not isinstance(length, int) or length <= 0
        case nodes.Subquery(range=length, step=step, offset=offset, at=at):
            durations = (length, 1 if step is None else step)
            return any(not isinstance(each, int) or each <= 0 for each in durations) or (
                not isinstance(offset, int) or isinstance(at, str)
            )
        case _:
            return False


class Preparation:
    """Settles the durations and times of an expression for the steps of its query."""

    def __init__(self, text: str, steps: Steps) -> None:
        self._text = text
        self._steps = steps

    def settled(self, expr: nodes.Expr) -> nodes.Expr:  # noqa: PLR0911 - a case a kind of node
        """The expression with plain durations and times."""
        match expr:
            case nodes.VectorSelector():
                return replace(expr, offset=self._offset(expr.offset), at=self._at(expr.at))
            case nodes.MatrixSelector(selector=selector):
                chosen = replace(selector, offset=self._offset(selector.offset), at=self._at(selector.at))
                return replace(expr, selector=chosen, range=self._range(expr.range, expr.position))
            case nodes.Subquery(step=step):
                return replace(
                    expr,
                    expr=self.settled(expr.expr),
                    range=self._range(expr.range, expr.position),
                    step=None if step is None else self._range(step, expr.position),
                    offset=self._offset(expr.offset),
                    at=self._at(expr.at),
                )
            case nodes.Call(function=function, args=args):
                return replace(expr, args=tuple(_thinnable(self.settled(arg), function) for arg in args))
            case nodes.Aggregate(param=param):
                inner = _summed(self.settled(expr.expr), expr)
                return replace(expr, expr=inner, param=None if param is None else self.settled(param))
            case nodes.Binary():
                return replace(expr, left=self.settled(expr.left), right=self.settled(expr.right))
            case nodes.Negation() | nodes.Paren():
                return replace(expr, expr=self.settled(expr.expr))
            case _:
                return expr

    def _at(self, at: nodes.At | None) -> int | None:
        return {"start": self._steps.start_ms, "end": self._steps.until_ms}[at] if isinstance(at, str) else at

    def _offset(self, duration: int | nodes.Expr) -> int:
        if isinstance(duration, int):
            return duration
        try:
            length_ms = self._seconds(duration) * 1000
        except (ArithmeticError, TypeError, ValueError):  # powers of negative numbers or of 0, too large ones
            length_ms = math.nan
        if not abs(length_ms) <= LONGEST_MS:
            raise parse_error(self._text, duration.position, OUT_OF_RANGE)
        return round(length_ms)

    def _range(self, duration: int | nodes.Expr, position: int) -> int:
        length = self._offset(duration)
        if length <= 0:
            place = position if isinstance(duration, int) else duration.position
            raise parse_error(self._text, place, "duration must be greater than 0")
        return length

    def _seconds(self, expr: nodes.Expr) -> float:
        match expr:
            case nodes.Number(value=value):
                return value
            case nodes.Paren(expr=inner):
                return self._seconds(inner)
            case nodes.Negation(expr=inner):
                return -self._seconds(inner)
            case nodes.Binary(op=op, left=left, right=right) if op in ("+", "-", "*", "/", "%", "^"):
                return self._combined(op, self._seconds(left), self._seconds(right), expr.position)
            case nodes.Call(function=("step" | "range") as function):
                length_ms = self._steps.step_ms if function == "step" else self._steps.until_ms - self._steps.start_ms
                return length_ms / 1000
            case nodes.Call(function=("min_of" | "max_of") as function, args=args):
                chosen = min if function == "min_of" else max
                return chosen(self._seconds(arg) for arg in args)
            case _:
                raise parse_error(self._text, expr.position, "unexpected expression in duration expression")

    def _combined(self, op: str, left: float, right: float, position: int) -> float:
        if op in ("/", "%") and right == 0:
            raise parse_error(self._text, position, "division by zero" if op == "/" else "modulo by zero")
        match op:
            case "+":
                return left + right
            case "-":
                return left - right
            case "*":
                return left * right
            case "/":
                return left / right
            case "%":
                return math.fmod(left, right)
            case _:
                return float(left**right)


def _thinnable(arg: nodes.Expr, function: str) -> nodes.Expr:
    """An argument, marked if the function has the same value over thinned samples."""
    if isinstance(arg, nodes.MatrixSelector) and function in _OVER_THINNED and not arg.selector.mode:
        return replace(arg, thinned="totals" if function in _OF_TOTALS else "samples")
    return arg


def _summed(expr: nodes.Expr, sum_: nodes.Aggregate) -> nodes.Expr:
    """What an aggregation is of, marked if it is the sum of rates by some labels."""
    match expr:
        case nodes.Call(function=function, args=(nodes.MatrixSelector() as range_,)) if function in _ADDING_UP:
            if sum_.op == "sum" and not sum_.without and not range_.selector.mode:
                return replace(expr, args=(replace(range_, summed_by=sum_.labels),))
    return expr


def named_labels(expr: nodes.Expr) -> frozenset[str]:
    """The labels that an expression names anywhere."""
    return frozenset(_named(expr)) - {NAME}


def _named(expr: nodes.Expr) -> Iterator[str]:
    match expr:
        case nodes.VectorSelector(matchers=matchers, any_of=any_of):
            yield from (matcher.name for group in (matchers, *any_of) for matcher in group)
        case nodes.Aggregate(labels=labels):
            yield from labels
        case nodes.Binary(matching=matching):
            yield from (*matching.labels, *matching.include)
        case nodes.Call(function=function, args=args) if function in _NAMING:
            yield from (arg.value for arg in args if isinstance(arg, nodes.String))
        case _:
            pass
    for child in nodes.children(expr):
        yield from _named(child)


def is_fixed(expr: nodes.Expr) -> bool:
    """Whether an expression has the same value at every step: all that it reads is at a time of its own."""
    match expr:
        case nodes.Number() | nodes.String():
            return True
        case nodes.VectorSelector(at=at) | nodes.Subquery(at=at):
            return at is not None
        case nodes.Call(function=function) if function in _TIME_FUNCTIONS:
            return False
        case _:
            return all(is_fixed(child) for child in nodes.children(expr))


def check_type(expr: nodes.Expr) -> None:
    """Refuse an expression without a vector, scalar or text as its result at a step. Raises ``PromqlError``."""
    if isinstance(nodes.unwrapped(expr), nodes.MatrixSelector | nodes.Subquery):
        message = 'invalid expression type "range vector" for range query, must be Scalar or instant Vector'
        raise PromqlError("bad_data", message)
