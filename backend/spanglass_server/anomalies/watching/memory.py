"""What is known of the series of one kind: the hours of three weeks, and the steps of the last half day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from spanglass_server.anomalies.detecting.scales import scaled
from spanglass_server.anomalies.detecting.usual import AHEAD, STEPS, Usual, find_usual, hours_of
from spanglass_server.anomalies.model import STEP_MS, Course

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from spanglass_server.anomalies.detecting.judging import Judged
    from spanglass_server.anomalies.detecting.scales import Scale
    from spanglass_server.anomalies.model import Labels

Zeros = Literal["never", "known", "always"]
#: Hours and steps that are kept.
HOURS, SHOWN = 504, 144
#: Larger values are infinite in 32 bits.
_LARGEST: Final = 3e38


class Memory:
    """Not thread-safe. A step is a time over five minutes, and belongs to the hour whose last step is a full hour.

    With ``zeros``, a series without a value at a step had none of what is counted, since its first value (``known``) or
    from the start on (``always``): only in steps that were ``heard``, where the server received anything. Of others
    nothing is known. ``most`` series are kept, others counted as ``left_out``.
    """

    def __init__(self, scale: Scale, most: int, zeros: Zeros) -> None:
        self.scale, self.left_out = scale, 0
        self._most, self._zeros = most, zeros
        self._rows: dict[Labels, int] = {}
        self._hours = np.full((3, 0, HOURS), np.nan, np.float32)
        self._shown = np.full((4, 0, SHOWN), np.nan, np.float32)  # value, expected, low, high
        self._heard = np.zeros(HOURS, np.bool_)
        self._hour: int | None = None  # the newest that is kept
        self._step = 0  # the newest that is shown
        self._usual: tuple[tuple[int, int, int], Usual] | None = None
        self._changes = 0

    @property
    def has_zeros(self) -> bool:
        """Whether no value is none of what is counted."""
        return self._zeros != "never"

    @property
    def labels(self) -> tuple[Labels, ...]:
        """What tells the rows apart."""
        return tuple(self._rows)

    def rows_of(self, labels: Sequence[Labels]) -> NDArray[np.intp]:
        """The rows of series, -1 for those that have no place."""
        return np.array([self._row(each) for each in labels], np.intp)

    @property
    def heard_hours(self) -> int:
        """How many of the hours were read and say something."""
        return int(np.count_nonzero(self._heard))

    def put_hours(
        self, first_step: int, labels: Sequence[Labels], values: NDArray[np.float64], heard: NDArray[np.bool_]
    ) -> None:
        """Keep steps (series, whole hours of them), the first of which is the first of an hour; ``heard`` (steps,)."""
        hour, number = (first_step - 1) // STEPS, values.shape[1] // STEPS
        self._move_to(hour + number - 1)
        if self._hour is None or not number:
            return
        rows = self.rows_of(labels)
        self.left_out = int(np.count_nonzero(rows < 0))
        known = rows >= 0
        values = np.where(np.isnan(values), 0.0, values) if self.has_zeros else values
        scale = scaled(np.where(heard, values, np.nan), self.scale)
        start = HOURS - 1 - (self._hour - hour)
        cut = max(-start, 0)
        self._hours[:, rows[known], start + cut : start + number] = hours_of(scale[known])[:, :, cut:]
        self._heard[start + cut : start + number] = np.asarray(heard.reshape(number, STEPS).any(axis=1))[cut:]
        self._changes += 1

    def put_shown(self, step: int, judged: Judged) -> None:
        """Keep what a step was, and what was usual, for all rows."""
        moved = step - self._step
        if moved > 0:
            skipped = np.full((*self._shown.shape[:2], min(moved, SHOWN)), np.nan, np.float32)
            self._shown = np.concatenate([self._shown, skipped], axis=2)[:, :, -SHOWN:].copy()
            self._step = step
        number = len(judged.value)
        for place, values in enumerate((judged.value, judged.expected, judged.low, judged.high)):
            self._shown[place, :number, -1] = np.where(np.abs(values) < _LARGEST, values, np.nan)

    def usual(self, hour: int) -> Usual | None:
        """What is usual from an hour on, by those before; None where none of them is near enough."""
        if self._hour is None or not 0 < hour - self._hour <= AHEAD:
            return None
        state = (self._hour, len(self._rows), self._changes)
        if self._usual is None or self._usual[0] != state:
            hours = self._hours[:, : len(self._rows)].astype(np.float64)
            if self.has_zeros:
                began = np.maximum.accumulate(np.asarray(~np.isnan(hours) | (self._zeros == "always")), axis=2)
                hours = np.where(np.isnan(hours) & began & self._heard, scaled(np.zeros(1), self.scale), hours)
            self._usual = state, find_usual(hours, self.scale)
        return self._usual[1]

    def place(self, step: int) -> int:
        """The step's place in what is usual."""
        return step - 1 - STEPS * ((self._hour or 0) + 1)

    def seen_before(self) -> NDArray[np.bool_]:
        """For each row whether it had any value in the hours that are kept."""
        middle = self._hours[0, : len(self._rows)]
        nothing = scaled(np.zeros(1), self.scale) if self.has_zeros else np.array([np.nan])
        return np.asarray((~np.isnan(middle) & (self._hours[2, : len(self._rows)] > nothing)).any(axis=1))

    def course(self, row: int) -> Course:
        """The last half day of a series."""
        value, expected, low, high = (_listed(each) for each in self._shown[:, row])
        return Course((self._step - SHOWN + 1) * STEP_MS, value, expected, low, high)

    def forget(self) -> None:
        """Let series go that have had no value in all hours, nor lately."""
        number = len(self._rows)
        nothing = np.isnan(self._hours[0, :number]).all(axis=1) & np.isnan(self._shown[0, :number]).all(axis=1)
        kept = np.flatnonzero(~nothing)
        if len(kept) == number:
            return
        names = list(self._rows)
        self._rows = {names[row]: place for place, row in enumerate(kept.tolist())}
        self._hours, self._shown = self._hours[:, kept].copy(), self._shown[:, kept].copy()
        self._changes += 1

    def _move_to(self, hour: int) -> None:
        if self._hour is None:
            self._hour = hour
        moved = hour - self._hour
        if moved <= 0:
            return
        hours, heard = np.full_like(self._hours, np.nan), np.zeros_like(self._heard)
        if moved < HOURS:
            hours[:, :, : HOURS - moved] = self._hours[:, :, moved:]
            heard[: HOURS - moved] = self._heard[moved:]
        self._hours, self._heard, self._hour = hours, heard, hour

    def _row(self, labels: Labels) -> int:
        row = self._rows.get(labels)
        if row is None:
            if len(self._rows) >= self._most:
                return -1
            row = self._rows[labels] = len(self._rows)
            if row >= self._hours.shape[1]:
                more = max(16, row)
                self._hours = np.concatenate([self._hours, np.full((3, more, HOURS), np.nan, np.float32)], axis=1)
                self._shown = np.concatenate([self._shown, np.full((4, more, SHOWN), np.nan, np.float32)], axis=1)
        return row


def _listed(values: NDArray[np.float32]) -> list[float | None]:
    return [float(f"{value:.6g}") if value == value else None for value in values.tolist()]  # noqa: PLR0124 - NaN
