"""A vector whose series are classic and native histograms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.histograms.classics.buckets import BOUND, Classic, classic
from spanglass_server.promql.histograms.classics.buckets import cells as classic_cells
from spanglass_server.promql.histograms.expressions.placing import rows_of
from spanglass_server.promql.histograms.rows import take
from spanglass_server.promql.series.labels import LabelSets
from spanglass_server.promql.series.vectors import Vector

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from spanglass_server.promql.functions.invocation import Invocation
    from spanglass_server.promql.histograms.classics.buckets import Cells
    from spanglass_server.promql.series.histograms import Histograms

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Kinds:
    """Both kinds in a vector: the buckets of classic ones, and the place of native ones at each cell.

    ``void`` are steps of classic histograms at which there is a native one with the same labels: neither counts.
    """

    vector: Vector
    buckets: Classic
    native: NDArray[np.int64]
    void: NDArray[np.bool_]

    def computed(
        self,
        of_classic: Callable[[Cells], Floats],
        of_native: Callable[[Histograms, NDArray[np.intp]], Floats],
    ) -> Vector:
        """A value for each histogram and step: one series for each classic and each native one."""
        groups, steps = self.buckets.histograms, self.native.shape[1]
        values, present = np.zeros((groups.size, steps)), np.zeros((groups.size, steps), bool)
        for part in classic_cells(self.vector, self.buckets):
            values[part.histogram, part.step], present[part.histogram, part.step] = of_classic(part), True
        own, has_own = np.zeros(self.native.shape), self.native >= 0
        if has_own.any() and self.vector.histograms is not None:
            own[has_own] = of_native(take(self.vector.histograms, self.native[has_own]), np.nonzero(has_own)[1])
        labels = self.vector.labels
        return Vector(
            LabelSets.concat([labels.drop({BOUND}).take(groups.first), labels]),
            np.concatenate([values, own]),
            np.concatenate([present & ~self.void, has_own]),
        )


def both_kinds(call: Invocation, place: int) -> Kinds:
    """The histograms of an argument; tells of series that are none, and of histograms of both kinds."""
    vector = call.vector(place)
    buckets = classic(vector)
    for text in buckets.bad:
        call.warn(f'bucket label "le" is missing or has a malformed value of "{text}"', place)
    native, of = rows_of(vector), buckets.histograms.of
    there = np.zeros((buckets.histograms.size, native.shape[1]), bool)
    np.logical_or.at(there, of[buckets.rows], vector.present[buckets.rows])
    clash = (native >= 0) & there[of]
    void = np.zeros(there.shape, bool)
    if clash.any():
        call.warn("vector contains a mix of classic and native histograms", place)
        np.logical_or.at(void, of, clash)
    return Kinds(vector, buckets, np.where(clash, -1, native), void)
