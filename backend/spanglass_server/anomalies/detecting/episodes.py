"""When anomalies begin and end: with hysteresis, so that one odd value begins none and one usual value ends none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: An anomaly begins with steps in a row to one side: so many beyond so many deviations, or one far beyond.
BEGIN, BEGIN_STEPS, AT_ONCE = 4.0, 2, 12.0
#: Or with so many that are less far beyond: what lasts is chance less often.
LASTING, LASTING_STEPS = 2.5, 6
#: It ends with so many steps in a row within so many deviations.
END, END_STEPS = 2.5, 3


class Change(NamedTuple):
    """What a step changed, for each series: of how many steps an anomaly is that begins (0: none), and which end.

    ``side`` is that of the newest steps beyond: -1 below what is usual, 1 above.
    """

    began: NDArray[np.intp]
    ended: NDArray[np.bool_]
    side: NDArray[np.intp]


@dataclass(slots=True)
class Episodes:
    """The state of series: steps in a row far beyond, beyond and within, their side, whether there is an anomaly."""

    far: NDArray[np.intp]
    beyond: NDArray[np.intp]
    within: NDArray[np.intp]
    side: NDArray[np.intp]
    is_open: NDArray[np.bool_]

    @classmethod
    def of(cls, number: int) -> Episodes:
        """So many series of which nothing was seen."""
        far, beyond, within, side = (np.zeros(number, np.intp) for _ in range(4))
        return cls(far, beyond, within, side, np.zeros(number, np.bool_))

    def taken(self, rows: NDArray[np.intp]) -> Episodes:
        """The state of some series in another order; -1 is one of which nothing was seen."""
        fresh, old = Episodes.of(len(rows)), rows >= 0
        for name in self.__slots__:
            getattr(fresh, name)[old] = getattr(self, name)[rows[old]]
        return fresh

    def step(self, deviations: NDArray[np.float64], matters: NDArray[np.bool_]) -> Change:
        """Take the next step of all series: how many deviations each lies beyond, below it negative.

        Steps without a value (NaN) change nothing. ``matters`` is where a change is large enough to be told of.
        """
        known = ~np.isnan(deviations)
        size = np.where(known & matters, np.abs(deviations), 0.0)
        side = np.where(np.nan_to_num(deviations) < 0, -1, 1)
        turned = (side != self.side) & (size >= LASTING)
        self.side = np.where(size >= LASTING, side, self.side)
        self.far = _in_a_row(np.where(turned, 0, self.far), size >= BEGIN, known)
        self.beyond = _in_a_row(np.where(turned, 0, self.beyond), size >= LASTING, known)
        self.within = _in_a_row(self.within, size < END, known)
        begins = (self.far >= BEGIN_STEPS) | (self.beyond >= LASTING_STEPS) | (size >= AT_ONCE)
        began = np.where(begins & known & ~self.is_open, self.beyond, 0)
        ended = self.is_open & (self.within >= END_STEPS)
        self.is_open = (self.is_open | (began > 0)) & ~ended
        return Change(began, ended, self.side)


def _in_a_row(before: NDArray[np.intp], goes_on: NDArray[np.bool_], known: NDArray[np.bool_]) -> NDArray[np.intp]:
    return np.where(known, np.where(goes_on, before + 1, 0), before)
