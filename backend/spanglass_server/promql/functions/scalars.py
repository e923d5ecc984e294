"""Functions between scalars and vectors, and absence."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.evaluation.cells import occupied
from spanglass_server.promql.evaluation.windows import windows
from spanglass_server.promql.parsing import nodes
from spanglass_server.promql.series.labels import NAME, LabelSets
from spanglass_server.promql.series.vectors import Scalar, Vector

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from spanglass_server.promql.functions.invocation import Invocation


def scalar(call: Invocation) -> Scalar:
    """The only float of a vector at each step, NaN if there are several or none."""
    vector = call.vector(0)
    values = np.where(vector.present, vector.values, 0.0).sum(axis=0)
    return Scalar(np.where(vector.present.sum(axis=0) == 1, values, np.nan))


def vector(call: Invocation) -> Vector:
    """A scalar as a vector without labels."""
    values = call.scalar(0)[None, :]
    return Vector(LabelSets(1), values, np.ones(values.shape, np.bool_))


def absent(call: Invocation) -> Vector:
    """1 where a vector has nothing, with the labels that its selector asks for."""
    there = np.asarray(occupied(call.vector(0)).any(axis=0))
    return _absent(call, there)


def absent_over_time(call: Invocation) -> Vector:
    """1 where a range vector has nothing, with the labels that its selector asks for."""
    range_ = call.range(0)
    there = np.zeros(range_.steps.size, np.bool_)
    for some in windows(range_.samples, range_.steps, range_.range_ms):
        there |= (some.count > 0).any(axis=0)
    return _absent(call, there)


def _absent(call: Invocation, there: NDArray[np.bool_]) -> Vector:
    labels = LabelSets.of([_asked_labels(call.node.args[0])])
    return Vector(labels, np.ones((1, len(there))), ~there[None, :])


def _asked_labels(expr: nodes.Expr) -> dict[str, str]:
    """The labels that a selector wants to be equal to something, each asked for once."""
    match expr:
        case nodes.Paren(expr=inner):
            return _asked_labels(inner)
        case nodes.MatrixSelector(selector=selector):
            return _asked_labels(selector)
        case nodes.VectorSelector(matchers=matchers):
            names = [matcher.name for matcher in matchers]
            return {
                matcher.name: matcher.value
                for matcher in matchers
                if matcher.operator == "=" and names.count(matcher.name) == 1 and matcher.name != NAME
            }
        case _:
            return {}


def _constant(value: Callable[[Invocation], float]) -> Callable[[Invocation], Scalar]:
    return lambda call: Scalar(np.full(call.steps.size, value(call)))


def _chosen(choose: np.ufunc) -> Callable[[Invocation], Scalar]:
    return lambda call: Scalar(choose(call.scalar(0), call.scalar(1)))


CALLS: dict[str, Callable[[Invocation], Vector | Scalar]] = {
    "absent": absent,
    "absent_over_time": absent_over_time,
    "end": _constant(lambda call: call.query.steps.until_ms / 1000),
    "max_of": _chosen(np.maximum),
    "min_of": _chosen(np.minimum),
    "pi": _constant(lambda _: math.pi),
    "range": _constant(lambda call: (call.query.steps.until_ms - call.query.steps.start_ms) / 1000),
    "scalar": scalar,
    "start": _constant(lambda call: call.query.steps.start_ms / 1000),
    "step": _constant(lambda call: call.query.steps.step_ms / 1000),
    "vector": vector,
}
