"""Functions of each float by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.evaluation.cells import floats, without_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from spanglass_server.promql.functions.invocation import Invocation
    from spanglass_server.promql.series.vectors import Vector

    Floats = NDArray[np.float64]


def _mapped(call: Invocation, function: Callable[[Floats], Floats]) -> Vector:
    vector = floats(call.vector(0))
    with np.errstate(all="ignore"):
        return without_name(replace(vector, values=function(vector.values)))


def _of(function: Callable[[Floats], Floats]) -> Callable[[Invocation], Vector]:
    return lambda call: _mapped(call, function)


def clamp(call: Invocation) -> Vector:
    """Values bounded on both sides; nothing where the bounds cross."""
    low, high = call.scalar(1), call.scalar(2)
    vector = _mapped(call, lambda values: _bounded(_bounded(values, high, np.minimum), low, np.maximum))
    return replace(vector, present=vector.present & ~(high < low))


def clamp_min(call: Invocation) -> Vector:
    """Values of at least a bound."""
    low = call.scalar(1)
    return _mapped(call, lambda values: _bounded(values, low, np.maximum))


def clamp_max(call: Invocation) -> Vector:
    """Values of at most a bound."""
    high = call.scalar(1)
    return _mapped(call, lambda values: _bounded(values, high, np.minimum))


def _bounded(values: Floats, bound: Floats, choose: Callable[[Floats, Floats], Floats]) -> Floats:
    # An infinite bound or value that decides does so beside NaN too, as in Go's math.Max and math.Min.
    infinite = np.inf if choose is np.maximum else -np.inf
    return np.where((values == infinite) | (bound == infinite), infinite, choose(values, bound))


def round_(call: Invocation) -> Vector:
    """The nearest multiple of a number, halves up."""
    with np.errstate(divide="ignore"):
        inverse = 1.0 / call.scalar(1, 1.0)
    return _mapped(call, lambda values: np.floor(values * inverse + 0.5) / inverse)


CALLS: dict[str, Callable[[Invocation], Vector]] = {
    **{
        name: _of(function)
        for name, function in {
            "abs": np.abs,
            "acos": np.arccos,
            "acosh": np.arccosh,
            "asin": np.arcsin,
            "asinh": np.arcsinh,
            "atan": np.arctan,
            "atanh": np.arctanh,
            "ceil": np.ceil,
            "cos": np.cos,
            "cosh": np.cosh,
            "deg": np.degrees,
            "exp": np.exp,
            "floor": np.floor,
            "ln": np.log,
            "log10": np.log10,
            "log2": np.log2,
            "rad": np.radians,
            "sgn": np.sign,
            "sin": np.sin,
            "sinh": np.sinh,
            "sqrt": np.sqrt,
            "tan": np.tan,
            "tanh": np.tanh,
        }.items()
    },
    "clamp": clamp,
    "clamp_max": clamp_max,
    "clamp_min": clamp_min,
    "round": round_,
}
