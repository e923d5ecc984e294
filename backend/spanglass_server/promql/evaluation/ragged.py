"""The samples of many windows one after another: what cannot be told from the windows' ends alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from spanglass_server.promql.evaluation.windows import Windows

#: Samples that are copied out of their windows at once.
_SAMPLES = 1_000_000


@dataclass(frozen=True, slots=True)
class Ragged:
    """Some non-empty windows: ``places`` of their samples, those of window i from ``starts[i]``, ``sizes[i]`` of them.

    ``cells`` are the rows and columns of these windows, ``window`` the window of each sample.
    """

    cells: tuple[NDArray[np.intp], NDArray[np.intp]]
    places: NDArray[np.int64]
    starts: NDArray[np.int64]
    sizes: NDArray[np.int64]

    @property
    def window(self) -> NDArray[np.intp]:
        """The window of each sample."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)

    def sum(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The sum of a number for each sample, for each window."""
        return np.add.reduceat(values, self.starts)

    def padded(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """A number for each sample in the shape (windows, longest), NaN behind the last."""
        table = np.full((len(self.sizes), int(self.sizes.max())), np.nan)
        table[self.window, np.arange(len(values)) - np.repeat(self.starts, self.sizes)] = values
        return table


def ragged(some: Windows, least: int = 1) -> Iterator[Ragged]:
    """The windows with at least so many samples, with their samples, of a bounded number of samples at a time."""
    return ragged_cells(some, some.count >= least)


def ragged_cells(some: Windows, chosen: NDArray[np.bool_]) -> Iterator[Ragged]:
    """Chosen windows, which must have samples, of a bounded number of samples at a time."""
    rows, columns = np.nonzero(chosen)
    sizes = some.count[rows, columns]
    ends = np.cumsum(sizes)
    begin = 0
    while begin < len(rows):
        before = ends[begin] - sizes[begin]
        end = max(begin + 1, int(np.searchsorted(ends, before + _SAMPLES, side="right")))
        part = slice(begin, end)
        starts = ends[part] - sizes[part] - before
        lo = some.lo[rows[part], columns[part]]
        total = int(ends[end - 1] - before)
        places = np.arange(total) + np.repeat(lo - starts, sizes[part])
        yield Ragged((rows[part], columns[part]), places, starts, sizes[part])
        begin = end
