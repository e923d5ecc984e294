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
    """One key at m ticks: arrays of shape (m,), as the rows of ``Readings``. ``bounds`` is what values meet, if any."""

    times_ns: NDArray[np.int64]
    values: NDArray[np.float64]
    levels: NDArray[np.int8]
    recovered: NDArray[np.bool_]
    bounds: NDArray[np.float64] | None = None

    def between(self, start_ns: int, end_ns: int) -> NDArray[np.float64]:
        """The values at the ticks from one time to another, both included."""
        first = np.searchsorted(self.times_ns, start_ns)
        return self.values[first : np.searchsorted(self.times_ns, end_ns, side="right")]


def course_of(readings: Readings, row: int) -> Course:
    """One key's row."""
    bounds = None if readings.bounds is None else np.broadcast_to(readings.bounds, readings.values.shape)[row]
    return Course(
        readings.times_ns, readings.values[row], readings.levels[row], readings.recovered[row], bounds
    )  # fmt: skip


def without_data(times_ns: NDArray[np.int64]) -> Course:
    """A key that is not among the keys of an evaluation: it has no data there."""
    size = len(times_ns)
    nothing = np.full(size, np.nan)
    return Course(times_ns, nothing, np.zeros(size, np.int8), np.ones(size, bool))


def joined(courses: Sequence[Course]) -> Course:
    """Several stretches of one key as one."""
    return Course(
        np.concatenate([each.times_ns for each in courses]),
        np.concatenate([each.values for each in courses]),
        np.concatenate([each.levels for each in courses]),
        np.concatenate([each.recovered for each in courses]),
    )
