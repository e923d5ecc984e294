"""Aggregations that give one value a group: sum, avg, min, max, count, group, stddev, stdvar, quantile."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from spanglass_server.promql.evaluation.aggregations.quantiles import quantile_of_sorted
from spanglass_server.promql.evaluation.aggregations.sums import segment_sums
from spanglass_server.promql.series.vectors import Vector

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from spanglass_server.promql.evaluation.aggregations.grouping import Grouped

    Floats = NDArray[np.float64]


def counts(present: NDArray[np.bool_], groups: Grouped) -> NDArray[np.int64]:
    """How many series of each group are there at each step."""
    if not len(groups.starts):
        return np.zeros((0, present.shape[1]), np.int64)
    return cast("NDArray[np.int64]", np.add.reduceat(groups.sorted(present), groups.starts, axis=0, dtype=np.int64))


def aggregate(op: str, vector: Vector, groups: Grouped) -> Vector:
    """One value for each group and step at which any of its series is."""
    number = counts(vector.present, groups)
    values = _VALUES[op](vector, groups, number) if len(groups.starts) else np.zeros(number.shape)
    return Vector(groups.labels, values, number > 0)


def _sum(vector: Vector, groups: Grouped, _number: NDArray[np.int64]) -> Floats:
    present = vector.present.all()
    values = vector.values if present else np.where(vector.present, vector.values, 0.0)
    return segment_sums(cast("Floats", groups.sorted(values)), groups.starts)


def _avg(vector: Vector, groups: Grouped, number: NDArray[np.int64]) -> Floats:
    with np.errstate(all="ignore"):
        mean = _sum(vector, groups, number) / number
        if np.isinf(mean).any() and not np.isinf(vector.values[vector.present]).any():
            # A sum that overflows: the mean of numbers so small that it does not.
            small = Vector(vector.labels, vector.values * _TINY, vector.present)
            mean = np.where(np.isinf(mean), _sum(small, groups, number) / number / _TINY, mean)
    return mean


_TINY = 2.0**-64


def _min(vector: Vector, groups: Grouped, _number: NDArray[np.int64]) -> Floats:
    values = np.where(vector.present, vector.values, np.nan)
    return np.fmin.reduceat(cast("Floats", groups.sorted(values)), groups.starts, axis=0)


def _max(vector: Vector, groups: Grouped, _number: NDArray[np.int64]) -> Floats:
    values = np.where(vector.present, vector.values, np.nan)
    return np.fmax.reduceat(cast("Floats", groups.sorted(values)), groups.starts, axis=0)


def _count(_vector: Vector, _groups: Grouped, number: NDArray[np.int64]) -> Floats:
    return number.astype(np.float64)


def _group(_vector: Vector, _groups: Grouped, number: NDArray[np.int64]) -> Floats:
    return np.ones(number.shape)


def _stdvar(vector: Vector, groups: Grouped, number: NDArray[np.int64]) -> Floats:
    with np.errstate(all="ignore"):
        away = vector.values - _avg(vector, groups, number)[groups.of]
        return _sum(Vector(vector.labels, away * away, vector.present), groups, number) / number


def _stddev(vector: Vector, groups: Grouped, number: NDArray[np.int64]) -> Floats:
    return np.sqrt(_stdvar(vector, groups, number))


_VALUES: dict[str, Callable[[Vector, Grouped, NDArray[np.int64]], Floats]] = {
    "sum": _sum,
    "avg": _avg,
    "min": _min,
    "max": _max,
    "count": _count,
    "group": _group,
    "stddev": _stddev,
    "stdvar": _stdvar,
}


def quantile(vector: Vector, groups: Grouped, wanted: Floats) -> Vector:
    """The quantile of each group, ``wanted`` at each step."""
    number = counts(vector.present, groups)
    result = np.zeros(number.shape)
    for chosen, rows in groups.by_size():
        # The members of a group along the last axis; absent ones are no numbers, and sort to the end.
        members = np.where(vector.present[rows], vector.values[rows], np.nan).transpose(0, 2, 1)
        unknown = (np.isnan(vector.values[rows]) & vector.present[rows]).sum(axis=1)
        result[chosen] = quantile_of_sorted(np.sort(members, axis=-1), number[chosen], unknown, wanted)
    return Vector(groups.labels, result, number > 0)
