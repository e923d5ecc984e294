"""The binary operators on floats, elementwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,
    "^": np.power,
    "atan2": np.arctan2,
}
COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}
#: Operators that cut the buckets of a histogram at a number.
TRIMS = ("</", ">/")
SETS = ("and", "or", "unless")


def combine(op: str, left: Floats, right: Floats, *, is_bool: bool) -> tuple[Floats, NDArray[np.bool_] | None]:
    """The values of an operator, and which of them stay; None for all. A comparison keeps its left side's values."""
    with np.errstate(all="ignore"):
        if op in ARITHMETIC:
            return ARITHMETIC[op](left, right), None
        if op in TRIMS:  # of histograms only
            return left, np.zeros(left.shape, np.bool_)
        holds = COMPARISONS[op](left, right)
    if is_bool:
        return holds.astype(np.float64), None
    return np.broadcast_to(left, holds.shape), holds
