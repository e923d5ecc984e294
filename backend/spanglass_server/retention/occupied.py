"""When the rows of a segment lie: hours that have some. One span of a wrong clock makes no range of decades."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from spanglass_server.signals import TIME_COLUMN
from spanglass_server.store.ports import ALL_TIME, Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from spanglass_server.store.ports import Part, QuerySession

HOUR_NS: Final = 3600 * 10**9
DAY_NS: Final = 24 * HOUR_NS
#: Storage is asked for so many ranges at most; those that are nearest to each other are asked together.
_MOST_WINDOWS: Final = 8


@dataclass(frozen=True, slots=True)
class Occupied:
    """Hours since 1970, in their order."""

    hours: NDArray[np.int64]

    @classmethod
    def of(cls, times_ns: Any, reach: int = 0) -> Occupied:
        """Take the hours of these times, and so many before and after each."""
        hours = np.unique(np.asarray(times_ns, np.int64) // HOUR_NS)
        near = np.unique((hours[:, None] + np.arange(-reach, reach + 1)).ravel())
        return cls(near[(near >= 0) & (near < ALL_TIME.end_ns // HOUR_NS)])

    @property
    def days(self) -> list[int]:
        """The days since 1970 (UTC) that they lie in."""
        found: list[int] = np.unique(self.hours // 24).tolist()
        return found

    @property
    def windows(self) -> list[Window]:
        """Ranges that hold all of them, few and far from each other."""
        return [Window(first * HOUR_NS, (last + 1) * HOUR_NS) for first, last in runs(self.hours)]


def runs(numbers: NDArray[np.int64] | Sequence[int]) -> list[tuple[int, int]]:
    """Return first and last of stretches of ordered numbers: at most so many stretches, cut where gaps are largest."""
    ordered = np.asarray(numbers, np.int64)
    if not len(ordered):
        return []
    gaps = np.diff(ordered)
    widest = np.argsort(-gaps, kind="stable")[: _MOST_WINDOWS - 1]
    cuts = np.sort(widest[gaps[widest] > 1])
    firsts, lasts = ordered[[0, *(cuts + 1)]], ordered[[*cuts, len(ordered) - 1]]
    return list(zip(firsts.tolist(), lasts.tolist(), strict=True))


def occupied_by(session: QuerySession, part: Part, reach: int = 0) -> Occupied:
    """Read the hours of a part's rows; one column."""
    column = TIME_COLUMN[part.signal]
    return Occupied.of(session.part_table(part, (column,))[column].to_numpy(), reach)
