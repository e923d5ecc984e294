"""Quantities that are PromQL: what rules may not ask of it, and which labels it has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from spanglass_server.alerting.evaluation.problems import RuleProblem
from spanglass_server.alerting.evaluation.quantities.expressions import Expression, Source
from spanglass_server.alerting.evaluation.quantities.present import seen_before
from spanglass_server.promql.errors import PromqlError
from spanglass_server.promql.evaluation.preparation import check_type
from spanglass_server.promql.parsing import nodes
from spanglass_server.promql.parsing.parse import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spanglass_core.alerting.conditions.nodes import Quantity
    from spanglass_server.alerting.evaluation.quantities.expressions import Labels

_PLACE = re.compile(r"^\d+:\d+: ")
#: Functions of the range of a query, which rules do not have.
_OF_QUERIES = ("start", "end", "step", "range")


def promql_source(quantity: Quantity, condition: str) -> Source:
    """The source of an expression; raises ``RuleProblem`` with the place in the condition."""
    begin = condition.find(quantity.text, quantity.column - 1)
    try:
        expr = parse(quantity.text)
        check_type(expr)
    except PromqlError as error:
        line, column = error.position or (1, 1)
        is_placed = begin >= 0 and line == 1
        message = _PLACE.sub("", error.message) if is_placed else error.message
        raise RuleProblem(message, begin + column if is_placed else quantity.column) from None
    for position, what, hint in _refused(expr):
        raise RuleProblem(what, begin + 1 + position if begin >= 0 else quantity.column, hint)
    value = Expression(quantity.text, _labels(expr))
    return Source(value, None, quantity.column, lambda over_ms: seen_before(value, over_ms))


def _refused(expr: nodes.Expr) -> Iterator[tuple[int, str, str]]:
    """What would make a step depend on later ones, or on which steps are asked for."""
    match expr:
        case nodes.VectorSelector(at=at) | nodes.Subquery(at=at) if at is not None:
            yield expr.position, "a rule can't look at a fixed time", "leave out @, or use offset"
        case nodes.VectorSelector(offset=offset) | nodes.Subquery(offset=offset) if _is_negative(offset):
            yield expr.position, "a rule can't look into the future", "write an offset above 0"
        case nodes.VectorSelector(mode="smoothed"):
            yield expr.position, "a rule can't use smoothed, which looks at later samples", "leave it out"
        case nodes.Call(function=function, position=position) if function in _OF_QUERIES:
            yield position, f"{function}() has no meaning in a rule", "write time() or a number"
        case nodes.String(position=position):
            if position == 0:
                yield position, "this is a text", "write an expression with a number for each series"
        case _:
            pass
    for child in (*nodes.children(expr), *_durations(expr)):
        yield from _refused(child)


def _durations(expr: nodes.Expr) -> list[nodes.Expr]:
    """Durations that are expressions."""
    match expr:
        case nodes.VectorSelector(offset=offset):
            found: tuple[object, ...] = (offset,)
        case nodes.MatrixSelector(range=range_):
            found = (range_,)
        case nodes.Subquery(range=range_, step=step, offset=offset):
            found = (range_, step, offset)
        case _:
            found = ()
    return [each for each in found if isinstance(each, nodes.Expr)]


def _is_negative(offset: int | nodes.Expr) -> bool:
    return offset < 0 if isinstance(offset, int) else isinstance(offset, nodes.Negation)


def _labels(expr: nodes.Expr) -> Labels:
    """The labels that tell its series apart, as far as the expression says."""
    inner = nodes.unwrapped(expr)
    if nodes.is_scalar(inner):
        return ()
    if isinstance(inner, nodes.Aggregate) and not inner.without and inner.op in _OF_GROUPS:
        return inner.labels
    return None


_OF_GROUPS = ("sum", "avg", "min", "max", "count", "quantile", "stddev", "stdvar", "group")
