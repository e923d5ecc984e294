"""The value of an expression at all steps at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.errors import execution_error
from spanglass_server.promql.evaluation import selectors
from spanglass_server.promql.evaluation.aggregations import choosing, values
from spanglass_server.promql.evaluation.aggregations.grouping import group
from spanglass_server.promql.evaluation.cells import empty, floats, occupied, repeat
from spanglass_server.promql.evaluation.operators.binary import binary, negated
from spanglass_server.promql.evaluation.preparation import is_fixed
from spanglass_server.promql.evaluation.selectors import Range
from spanglass_server.promql.evaluation.subqueries import subquery
from spanglass_server.promql.functions.invocation import Invocation
from spanglass_server.promql.functions.registry import FUNCTIONS
from spanglass_server.promql.histograms.expressions.aggregation import aggregated, tell_ignored
from spanglass_server.promql.parsing import nodes
from spanglass_server.promql.series.go_numbers import go_number
from spanglass_server.promql.series.vectors import Scalar, Steps, Text, Value, Vector

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.promql.evaluation.aggregations.grouping import Grouped
    from spanglass_server.promql.evaluation.query import Query


def evaluate(query: Query, expr: nodes.Expr, steps: Steps) -> Value | Range:
    """The value of an expression. What is the same at every step is evaluated once."""
    query.check_deadline()
    range_like = isinstance(nodes.unwrapped(expr), nodes.MatrixSelector | nodes.Subquery)
    if steps.size > 1 and not range_like and is_fixed(expr):
        value = _evaluate(query, expr, replace(steps, size=1))
        assert not isinstance(value, Range)  # noqa: S101
        return repeat(value, steps.size)
    return _evaluate(query, expr, steps)


def _evaluate(query: Query, expr: nodes.Expr, steps: Steps) -> Value | Range:  # noqa: C901, PLR0911 - a case a kind of node
    match expr:
        case nodes.Number(value=number):
            return Scalar(np.full(steps.size, number))
        case nodes.String(value=text):
            return Text(text)
        case nodes.Nothing():
            return empty(steps.size)
        case nodes.Paren(expr=inner):
            return evaluate(query, inner, steps)
        case nodes.VectorSelector():
            return selectors.instant(query, expr, steps)
        case nodes.MatrixSelector():
            return selectors.matrix(query, expr, steps)
        case nodes.Subquery():
            return subquery(query, expr, steps, evaluate)
        case nodes.Call(function=function):
            if function not in FUNCTIONS:
                raise execution_error(f"the function {function} is not supported")
            return FUNCTIONS[function](Invocation(query, expr, steps, evaluate))
        case nodes.Aggregate():
            return _aggregate(query, expr, steps)
        case nodes.Binary(left=left, right=right):
            return binary(query, expr, _value(query, left, steps), _value(query, right, steps))
        case nodes.Negation(expr=inner):
            value = _value(query, inner, steps)
            return negated(value) if isinstance(value, Vector) else Scalar(-_numbers(value))


def _value(query: Query, expr: nodes.Expr, steps: Steps) -> Value:
    value = evaluate(query, expr, steps)
    if isinstance(value, Range):
        raise execution_error("a range vector stands where a value at each step is needed")
    return value


def _numbers(value: Value) -> NDArray[np.float64]:
    if not isinstance(value, Scalar):
        raise execution_error("a number is needed here")
    return value.values


def _aggregate(query: Query, node: nodes.Aggregate, steps: Steps) -> Vector:
    vector = _value(query, node.expr, steps)
    if not isinstance(vector, Vector):
        raise execution_error(f"{node.op} is computed of instant vectors only")
    param = None if node.param is None else _value(query, node.param, steps)
    # The label that count_values sets is none to group by.
    groups = group(vector.labels.drop({param.value}) if isinstance(param, Text) else vector.labels, node)
    tell_ignored(query, node, vector, param)
    if isinstance(param, Text):
        return choosing.count_values(vector, groups, param.value)
    if param is None:
        return _aggregated(query, node, vector, groups)
    wanted = _numbers(param)
    _warn_of_param(query, node, wanted)
    vector = vector if node.op in ("limitk", "limit_ratio") else floats(vector)
    match node.op:
        case "quantile":
            return values.quantile(vector, groups, wanted)
        case "topk" | "bottomk":
            return choosing.top(vector, groups, wanted, largest=node.op == "topk")
        case "limitk":
            return choosing.first(vector, groups, wanted)
        case _:
            return choosing.share(vector, wanted)


def _aggregated(query: Query, node: nodes.Aggregate, vector: Vector, groups: Grouped) -> Vector:
    if node.op in ("count", "group"):
        return values.aggregate(node.op, replace(vector, present=occupied(vector)), groups)
    result = values.aggregate(node.op, floats(vector), groups)
    return aggregated(query, node, vector, groups.of, result) if node.op in ("sum", "avg") else result


def _warn_of_param(query: Query, node: nodes.Aggregate, wanted: NDArray[np.float64]) -> None:
    """Warn of a quantile or ratio out of bounds: of the worst on either side, as Prometheus does."""
    assert node.param is not None  # noqa: S101
    lowest, highest = float(wanted.min()), float(wanted.max())
    if node.op == "quantile":
        for value in {lowest, highest}:
            if not 0 <= value <= 1:
                query.notes.warn_of_quantile(value, node.param.position)
    if node.op == "limit_ratio":
        for value, bound in ((highest, 1), (lowest, -1)):
            if value * bound > 1:
                message = f"ratio value should be between -1 and 1, got {go_number(value)}, capping to {bound}"
                query.notes.warn(message, node.param.position)
