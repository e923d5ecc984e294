"""What keys of a rule read, tick by tick, in columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from spanglass_server.alerting.model import Readings


@dataclass(frozen=True, slots=True)
class Course:
    """One key at m ticks: arrays of shape (m,), as the rows of ``Readings``; ``holding`` may not be known."""

    times_ns: NDArray[np.int64]
    values: NDArray[np.float64]
    levels: NDArray[np.int8]
    recovered: NDArray[np.bool_]
    holding: NDArray[np.int8] | None = None

    def between(self, start_ns: int, end_ns: int) -> NDArray[np.float64]:
        """The values at the ticks from one time to another, both included."""
        first = np.searchsorted(self.times_ns, start_ns)
        return self.values[first : np.searchsorted(self.times_ns, end_ns, side="right")]


def course_of(readings: Readings, row: int, places: NDArray[np.int64]) -> Course:
    """One key's row, at some of the ticks."""
    holding = None if readings.holding is None else readings.holding[row, places]
    return Course(
        readings.times_ns[places],
        readings.values[row, places],
        readings.levels[row, places],
        readings.recovered[row, places],
        holding,
    )


def without_data(times_ns: NDArray[np.int64]) -> Course:
    """A key that is not among the keys of an evaluation: it has no data there."""
    size = len(times_ns)
    nothing = np.full(size, np.nan)
    none = np.zeros(size, np.int8)
    return Course(times_ns, nothing, none, np.ones(size, bool), none)


def joined(courses: Sequence[Course]) -> Course:
    """Several stretches of one key as one."""
    holding = [each.holding for each in courses if each.holding is not None]
    return Course(
        np.concatenate([each.times_ns for each in courses]),
        np.concatenate([each.values for each in courses]),
        np.concatenate([each.levels for each in courses]),
        np.concatenate([each.recovered for each in courses]),
        np.concatenate(holding) if len(holding) == len(courses) else None,
    )
