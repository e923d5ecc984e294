"""Sums of histograms with weights, and histograms on the line between two samples."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.histograms.merging import merged_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.promql.histograms import ranges
    from spanglass_server.promql.histograms.merging import Merged
    from spanglass_server.promql.series.histograms import Histograms

    Places = NDArray[np.int64]


@dataclass(slots=True)
class Terms:
    """Histograms with their weights, to be added up for each cell."""

    rows: list[Places] = field(default_factory=list)
    cells: list[NDArray[np.intp]] = field(default_factory=list)
    weights: list[NDArray[np.float64]] = field(default_factory=list)

    def add(self, rows: Places, cells: NDArray[np.intp], weight: NDArray[np.float64]) -> None:
        """One histogram for each of some cells."""
        self.rows.append(rows)
        self.cells.append(cells)
        self.weights.append(weight)

    def merged(self, histograms: Histograms, size: int) -> Merged:
        """The sum of each cell's terms."""
        rows, cells, weights = np.concatenate(self.rows), np.concatenate(self.cells), np.concatenate(self.weights)
        return merged_rows(histograms, rows, cells, size, weights)


def add_value(
    terms: Terms,
    samples: ranges.Samples,
    place: Places,
    is_between: NDArray[np.bool_],
    at: tuple[NDArray[np.int64], float],
    reset: NDArray[np.bool_],
) -> None:
    """The histogram of each ``place``, or where ``is_between`` that on the line to it from the one before."""
    at_ms, sign = at
    cell = np.arange(len(place))
    before = np.maximum(place - 1, 0)
    length = np.maximum(samples.time_ms[place] - samples.time_ms[before], 1)
    part = np.where(is_between, (at_ms - samples.time_ms[before]) / length, 1.0)
    terms.add(samples.row[place], cell, sign * part)
    # After a reset a counter rises from zero.
    line = np.flatnonzero(is_between & ~reset[place])
    terms.add(samples.row[before[line]], line, sign * (1 - part[line]))
