"""Histograms at cells of vectors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.histograms.rows import concat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from spanglass_server.promql.series.histograms import Histograms
    from spanglass_server.promql.series.vectors import Vector


@dataclass(frozen=True, slots=True)
class Part:
    """Histograms, a row for each of some cells (series and step of each)."""

    cells: tuple[NDArray[np.intp], ...]
    histograms: Histograms


def rows_of(vector: Vector) -> NDArray[np.int64]:
    """The place of each cell's histogram, -1 without; shape (n, m)."""
    return np.full(vector.values.shape, -1, np.int64) if vector.histogram is None else vector.histogram


def joined(first: Vector, second: Vector) -> tuple[NDArray[np.int64] | None, Histograms | None]:
    """The histograms of two vectors, whose series stand one after another."""
    both = [side.histograms for side in (first, second) if side.histograms is not None]
    if not both:
        return None, None
    begin = 0 if first.histograms is None else len(first.histograms)
    later = rows_of(second)
    rows = [rows_of(first), np.where(later >= 0, later + begin, -1)]
    return np.concatenate(rows), concat(both)


def placed(vector: Vector, parts: Sequence[Part]) -> Vector:
    """The floats of a vector, and histograms at cells where there is none."""
    parts = [part for part in parts if len(part.histograms)]
    if not parts:
        return replace(vector, histogram=None, histograms=None)
    histogram = np.full(vector.values.shape, -1, np.int64)
    begin = 0
    for part in parts:
        histogram[part.cells] = begin + np.arange(len(part.histograms))
        begin += len(part.histograms)
    present = vector.present & (histogram < 0)
    return replace(vector, present=present, histogram=histogram, histograms=concat([p.histograms for p in parts]))
