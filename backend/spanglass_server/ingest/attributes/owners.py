"""Which records the attribute lists of a chunk belong to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.ingest.columnar import Flat


@dataclass(frozen=True, slots=True)
class Owners:
    """Which records the lists at one position belong to: list ``i`` to the rows ``starts[i]`` up to ``ends[i]``."""

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    indexes: NDArray[np.int64] | None = None  # the place of an event, link or exemplar within its record

    @classmethod
    def records(cls, count: int) -> Owners:
        """Each list is a record's own."""
        rows = np.arange(count)
        return cls(rows, rows + 1)

    @classmethod
    def items(cls, flat: Flat) -> Owners:
        """Each list belongs to an item (event, link, exemplar) of a record."""
        return cls(flat.parents, flat.parents + 1, flat.ranks())

    def expand(self, parents: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """For entries of the lists ``parents``: which entry, and which row, for every record that owns one."""
        starts = self.starts[parents]
        counts = self.ends[parents] - starts
        source = np.repeat(np.arange(len(parents)), counts)
        within = np.arange(len(source)) - np.repeat(np.cumsum(counts) - counts, counts)
        return source, starts[source] + within
