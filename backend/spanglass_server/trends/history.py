"""The values of one quantity on a grid of times up to now: one row for each series, filled from the newest back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Labels = tuple[tuple[str, str], ...]
#: Series of one quantity that are kept; more are counted.
MOST_SERIES: Final = 3000
#: Larger values are infinite in 32 bits.
_LARGEST: Final = 3e38


@dataclass(frozen=True, slots=True)
class Course:
    """How series are read: every ``step_ms``, ``past`` of them, ``at_once`` in one question.

    ``ahead`` steps are forecast; ``outlook`` of them are told of in lists.
    """

    step_ms: int
    past: int
    at_once: int
    ahead: int
    outlook: int

    @property
    def periods(self) -> tuple[int, ...]:
        """A day and a week in steps, where the past has two of them."""
        return tuple(each for days in (1, 7) if 2 * (each := days * 86_400_000 // self.step_ms) <= self.past)


#: Four weeks by the hour, as much ahead, a week of it told. One question reads two days.
WEEKS: Final = Course(3_600_000, 672, 48, 672, 168)
#: While nothing is older than two days: these by five minutes, half a day ahead, six hours told.
DAYS: Final = Course(300_000, 576, 72, 144, 72)


class History:
    """Values of a quantity at the last ``course.past`` places of its grid (times over the step); not thread-safe."""

    def __init__(self, course: Course, last: int) -> None:
        self.course = course
        self.last = last
        self.left_out = 0
        self._rows: dict[Labels, int] = {}
        self._values = np.full((0, course.past), np.nan, np.float32)
        self._first_read = last + 1
        self._last_read = last

    @property
    def labels(self) -> tuple[Labels, ...]:
        """What tells the rows apart."""
        return tuple(self._rows)

    @property
    def values(self) -> NDArray[np.float64]:
        """All values, (series, places), the newest last; NaN where there is none."""
        return self._values[: len(self._rows)].astype(np.float64)

    @property
    def share_read(self) -> float:
        """How much of the past has been read, from 0 to 1."""
        return (self._last_read + 1 - self._first_read) / self.course.past

    @property
    def oldest_read(self) -> int:
        """The first place that was read; the one after the last if none was."""
        return self._first_read

    @property
    def is_read_to_last(self) -> bool:
        """Whether the newest place was read."""
        return self._first_read <= self._last_read == self.last

    def advance(self, last: int) -> None:
        """Let ``last`` be the newest place; what is too old goes, and series that have nothing else."""
        moved = last - self.last
        if moved <= 0:
            return
        kept = max(self.course.past - moved, 0)
        values = np.full_like(self._values, np.nan)
        values[:, :kept] = self._values[:, self.course.past - kept :]
        self._values, self.last = values, last
        self._first_read = max(self._first_read, last + 1 - self.course.past)
        if self._first_read > self._last_read + 1:  # nothing that was read is left
            self._first_read, self._last_read = last + 1, last
        self._forget()

    def missing(self, *, past_first: bool = False) -> tuple[int, int] | None:
        """The next places to read, first and number: the newest, then those before what was read; None if all was.

        ``past_first`` is the other way round.
        """
        newest = min(self.last - self._last_read, self.course.at_once)
        before = min(self._first_read - (self.last + 1 - self.course.past), self.course.at_once)
        if newest > 0 and (before <= 0 or not past_first):
            return self._last_read + 1, newest
        return (self._first_read - before, before) if before > 0 else None

    def put(self, first: int, labels: Sequence[Labels], values: NDArray[np.float64]) -> None:
        """Keep values (series, places) from a place on, which were missing."""
        number = values.shape[1]
        start = self.course.past - 1 - (self.last - first)
        places = [self._row(each) for each in labels]
        known = [place for place, row in enumerate(places) if row is not None]
        rows = [row for row in places if row is not None]
        self.left_out = len(labels) - len(rows)
        kept = values[known]
        self._values[rows, start : start + number] = np.where(np.abs(kept) <= _LARGEST, kept, np.nan)
        self._first_read = min(self._first_read, first)
        self._last_read = max(self._last_read, first + number - 1)

    def nothing_before(self) -> None:
        """What is older than what was read does not exist, and need not be read."""
        self._first_read = self.last + 1 - self.course.past

    def _row(self, labels: Labels) -> int | None:
        row = self._rows.get(labels)
        if row is None and len(self._rows) < MOST_SERIES:
            row = self._rows[labels] = len(self._rows)
            if row >= len(self._values):
                more = np.full((max(16, len(self._values)), self.course.past), np.nan, np.float32)
                self._values = np.concatenate([self._values, more])
        return row

    def _forget(self) -> None:
        number = len(self._rows)
        kept = np.flatnonzero(~np.isnan(self._values[:number]).all(axis=1))
        if len(kept) == number:
            return
        names = list(self._rows)
        self._rows = {names[row]: place for place, row in enumerate(kept.tolist())}
        self._values = self._values[kept].copy()
