"""How many spans of a segment start in each minute, and how many of them failed: 12 bytes a minute, in the catalog.

A segment of a hundred thousand spans has a few minutes when much comes in, and a hundred when little does. Counts over
a month then read some thousand of these instead of a hundred million spans.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Segments whose spans lie in more minutes have no counts: clocks are wrong, or they were sent long after.
MOST_MINUTES = 4096
#: Ranges of so many minutes are counted without sorting.
_DENSE = 1 << 17


@dataclass(frozen=True, slots=True)
class MinuteCounts:
    """Minutes since 1970 in rising order, with the spans that start in each, and those of them that failed."""

    minutes: NDArray[np.uint32]
    spans: NDArray[np.uint32]
    failed: NDArray[np.uint32]

    @classmethod
    def of(cls, minutes: NDArray[np.int64], failed: NDArray[np.int64]) -> MinuteCounts:
        """Count spans by their minutes, of which there is one at least, and failed ones by theirs."""
        first = int(minutes.min())
        if int(minutes.max()) - first < _DENSE:
            counts = np.bincount(minutes - first)
            filled = np.flatnonzero(counts)
            distinct, spans = filled + first, counts[filled]
        else:
            distinct, spans = np.unique(minutes, return_counts=True)
        of_failed = np.bincount(np.searchsorted(distinct, failed), minlength=len(distinct))
        return cls(distinct.astype(np.uint32), spans.astype(np.uint32), of_failed.astype(np.uint32))

    @property
    def size(self) -> int:
        """How much memory they take."""
        return self.minutes.nbytes + self.spans.nbytes + self.failed.nbytes

    def packed(self) -> bytes:
        """All three, one after another, as little-endian numbers."""
        return np.concatenate([self.minutes, self.spans, self.failed]).astype("<u4").tobytes()

    @classmethod
    def unpacked(cls, packed: bytes) -> MinuteCounts:
        """What was packed."""
        return cls(*np.frombuffer(packed, "<u4").reshape(3, -1))
