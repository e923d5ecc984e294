"""When anomalies begin and end: with hysteresis, so that one odd value begins none and one usual value ends none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: An anomaly begins with steps in a row to one side: so many beyond so many deviations, or one far above (records of
#: one step that are lost are no anomaly).
BEGIN, BEGIN_STEPS, AT_ONCE = 4.0, 2, 12.0
#: Or with so many that are less far beyond: what lasts is chance less often.
LASTING, LASTING_STEPS = 2.5, 6
#: It ends with so many steps in a row within so many deviations.
END, END_STEPS = 2.5, 3
#: Or when its series has had no value for so many steps.
UNSEEN_STEPS = 12


class Change(NamedTuple):
    """What a step changed, for each series: of how many steps an anomaly is that begins (0: none), and which end.

    One ends before so many steps. Where the side turns one ends and another begins. ``side`` is that of the newest
    steps beyond: -1 below what is usual, 1 above.
    """

    began: NDArray[np.intp]
    ended: NDArray[np.intp]
    side: NDArray[np.intp]


@dataclass(slots=True)
class Episodes:
    """The state of series: steps in a row far beyond, beyond, within and without a value, and their side.

    ``open_side`` is that of the anomaly that goes on, 0 without one.
    """

    far: NDArray[np.intp]
    beyond: NDArray[np.intp]
    within: NDArray[np.intp]
    unseen: NDArray[np.intp]
    side: NDArray[np.intp]
    open_side: NDArray[np.intp]

    @classmethod
    def of(cls, number: int) -> Episodes:
        """So many series of which nothing was seen."""
        return cls(*(np.zeros(number, np.intp) for _ in cls.__slots__))

    @property
    def is_open(self) -> NDArray[np.bool_]:
        """For each series whether an anomaly goes on."""
        return np.asarray(self.open_side != 0)

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
        self.unseen = np.where(known, 0, self.unseen + 1)
        at_once = (size >= AT_ONCE) & (side > 0)
        begins = (self.far >= BEGIN_STEPS) | (self.beyond >= LASTING_STEPS) | at_once
        began = np.where(begins & known & (self.open_side != self.side), self.beyond, 0)
        ended = np.select(
            [~self.is_open, began > 0, self.within >= END_STEPS, self.unseen >= UNSEEN_STEPS],
            [np.zeros_like(began), began, self.within, self.unseen],
        )
        self.open_side = np.where(began > 0, self.side, np.where(ended > 0, 0, self.open_side))
        return Change(began, ended, self.side)


def _in_a_row(before: NDArray[np.intp], goes_on: NDArray[np.bool_], known: NDArray[np.bool_]) -> NDArray[np.intp]:
    return np.where(known, np.where(goes_on, before + 1, 0), before)
