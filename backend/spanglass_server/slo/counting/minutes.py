"""How many events each minute of a stretch of time has, and how many of them were bad."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

#: Counts are kept by the hour.
HOUR: Final = 60
DAY: Final = 24 * HOUR


@dataclass(frozen=True, slots=True, eq=False)
class Sparse:
    """The minutes that have any event, as numbers since 1970, ascending, with the same two counts.

    Senders with wrong clocks have minutes of any year.
    """

    minute: NDArray[np.int64]
    total: NDArray[np.float64]
    bad: NDArray[np.float64]


NOTHING: Final = Sparse(np.empty(0, np.int64), np.empty(0), np.empty(0))


@dataclass(frozen=True, slots=True, eq=False)
class Minutes:
    """``total`` and ``bad`` (float64) of the minutes from ``first`` on, each the number of the minute since 1970.

    Of sampled spans they are estimates of what there was. Nothing in a minute is 0.
    """

    first: int
    total: NDArray[np.float64]
    bad: NDArray[np.float64]

    @classmethod
    def none(cls, first: int, last: int) -> Minutes:
        """Minutes up to before ``last`` in which nothing was."""
        length = max(0, last - first)
        return cls(first, np.zeros(length), np.zeros(length))

    @property
    def last(self) -> int:
        """The minute after the last one."""
        return self.first + len(self.total)

    def cut(self, first: int, last: int) -> Minutes:
        """The minutes of another stretch; 0 where these have none."""
        if (first, last) == (self.first, self.last):
            return self
        found = Minutes.none(first, last)
        found.add(self)
        return found

    def add(self, other: Minutes) -> None:
        """Add the minutes of another that lie in these to them."""
        start, end = max(self.first, other.first), min(self.last, other.last)
        if start < end:
            own, its = slice(start - self.first, end - self.first), slice(start - other.first, end - other.first)
            self.total[own] += other.total[its]
            self.bad[own] += other.bad[its]

    def add_sparse(self, other: Sparse) -> None:
        """The same of minutes that have any event."""
        start, end = np.searchsorted(other.minute, (self.first, self.last))
        place = other.minute[start:end] - self.first
        self.total[place] += other.total[start:end]
        self.bad[place] += other.bad[start:end]

    def at_least(self, other: Minutes) -> Minutes:
        """Of each minute the one of both that counts more: spans come late, and are deleted when they are old."""
        other = other.cut(self.first, self.last)
        more = other.total > self.total
        return Minutes(self.first, np.where(more, other.total, self.total), np.where(more, other.bad, self.bad))

    def since(self, first: int) -> tuple[float, float]:
        """The sums of both from a minute on."""
        place = min(max(0, first - self.first), len(self.total))
        return float(self.total[place:].sum()), float(self.bad[place:].sum())

    def by(self, length: int, first: int) -> Minutes:
        """Sums of stretches of so many minutes, the first of which begins at ``first``; ``Minutes`` of these."""
        steps = -(-(self.last - first) // length)
        wide = self.cut(first, first + steps * length)
        shape = (steps, length)
        return Minutes(0, wide.total.reshape(shape).sum(axis=1), wide.bad.reshape(shape).sum(axis=1))


def joined(several: Iterable[Minutes], first: int, last: int) -> Minutes:
    """All of several within a stretch, added up."""
    found = Minutes.none(first, last)
    for each in several:
        found.add(each)
    return found
