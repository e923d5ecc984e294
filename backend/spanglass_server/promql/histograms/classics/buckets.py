"""Classic histograms: series with cumulative counts and the upper bound of their bucket in the label ``le``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from spanglass_server.promql.series.labels import Groups
    from spanglass_server.promql.series.vectors import Vector

BOUND: Final = "le"


@dataclass(frozen=True, slots=True)
class Classic:
    """The buckets among the series of a vector: their rows, upper bounds, and the histogram each belongs to.

    ``histograms`` groups all series by their labels without ``le``. ``bad`` are the values of ``le`` that are no
    number, of series that are somewhere present.
    """

    rows: NDArray[np.intp]
    bounds: NDArray[np.float64]
    histograms: Groups
    bad: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cells:
    """Histograms at steps with buckets of the same ``bounds`` (rising), cumulative counts of shape (k, bounds)."""

    bounds: NDArray[np.float64]
    counts: NDArray[np.float64]
    histogram: NDArray[np.intp]
    step: NDArray[np.intp]


def classic(vector: Vector) -> Classic:
    """Which series of a vector are buckets, by ``le``: "1", "1.0", "1e0" are one bound, "+Inf" and "Inf" are."""
    column = vector.labels.column(BOUND)
    parsed = np.array([_bound(text) for text in column.values])
    bounds = parsed[column.codes]
    somewhere = vector.present.any(axis=1)
    used = np.unique(column.codes[somewhere & np.isnan(bounds)]).tolist()
    names = [name for name in vector.labels.columns if name != BOUND]
    rows = np.flatnonzero(somewhere & ~np.isnan(bounds))
    return Classic(rows, bounds[rows], vector.labels.groups(names), tuple(column.values[code] for code in used))


def cells(vector: Vector, buckets: Classic) -> Iterator[Cells]:
    """The histograms at all steps, those with the same buckets together.

    A histogram has the buckets that are present at the step. Two series with the same bound are added.
    """
    of = buckets.histograms.of[buckets.rows]
    order = np.lexsort((buckets.bounds, of))
    of, bounds = of[order], buckets.bounds[order]
    begins = np.append(True, (of[1:] != of[:-1]) | (bounds[1:] != bounds[:-1]))[: len(of)]
    place = np.cumsum(begins) - 1
    values, present = _added(vector, buckets.rows[order], place, int(begins.sum()))
    of, bounds = of[begins], bounds[begins]
    starts = np.flatnonzero(np.append(True, of[1:] != of[:-1])[: len(of)])
    for layout in _alike(bounds, starts):
        rows = starts[layout][:, None] + np.arange(_length(starts, layout[0], len(of)))
        yield from _at_steps(bounds[rows[0]], values[rows], present[rows], of[starts[layout]])


def _bound(text: str) -> float:
    if text != text.strip() or "_" in text:  # what Python's float takes, and Go's does not
        return np.nan
    try:
        return float(text)
    except ValueError:
        return np.nan


def _added(
    vector: Vector, rows: NDArray[np.intp], place: NDArray[np.intp], size: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    values, present = vector.values[rows], vector.present[rows]
    if size == len(rows):
        return values, present
    added, somewhere = np.zeros((size, values.shape[1])), np.zeros((size, values.shape[1]), bool)
    np.add.at(added, place, np.where(present, values, 0.0))
    np.logical_or.at(somewhere, place, present)
    return added, somewhere


def _length(starts: NDArray[np.intp], histogram: int, total: int) -> int:
    end = starts[histogram + 1] if histogram + 1 < len(starts) else total
    return int(end - starts[histogram])


def _alike(bounds: NDArray[np.float64], starts: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """Histograms with the same bounds, as lists of their numbers."""
    layouts: dict[bytes, list[int]] = {}
    for number, part in enumerate(np.split(bounds, starts[1:]) if len(starts) else []):
        layouts.setdefault(part.tobytes(), []).append(number)
    return [np.array(numbers) for numbers in layouts.values()]


def _at_steps(
    bounds: NDArray[np.float64], values: NDArray[np.float64], present: NDArray[np.bool_], histogram: NDArray[np.intp]
) -> Iterator[Cells]:
    """From (histograms, bounds, steps) to cells; where a bucket is absent, cells with the same absent ones."""
    steps = values.shape[2]
    counts = values.transpose(0, 2, 1).reshape(-1, len(bounds))
    there = present.transpose(0, 2, 1).reshape(-1, len(bounds))
    of, step = np.repeat(histogram, steps), np.tile(np.arange(steps), len(histogram))
    full = there.all(axis=1)
    if full.all():
        yield Cells(bounds, counts, of, step)
        return
    if full.any():
        yield Cells(bounds, counts[full], of[full], step[full])
    partly = np.flatnonzero(there.any(axis=1) & ~full)
    patterns, which = np.unique(np.packbits(there[partly], axis=1), axis=0, return_inverse=True)
    for number, pattern in enumerate(np.unpackbits(patterns, axis=1, count=len(bounds)).astype(bool)):
        chosen = partly[which.reshape(-1) == number]
        yield Cells(bounds[pattern], counts[np.ix_(chosen, pattern)], of[chosen], step[chosen])
