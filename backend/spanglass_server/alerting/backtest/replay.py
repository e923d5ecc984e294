"""One key through the state machine of live evaluation, without a call for ticks that can change nothing.

The states are those that the machine gives tick by tick: of a run of ticks that all say the same, those between the
first ones and the last are left out while the state is one that such a tick leaves as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING

import numpy as np

from spanglass_core.alerting.machine import advance, is_forgettable
from spanglass_core.alerting.severity import SEVERITIES, Severity
from spanglass_core.alerting.states import INITIAL, Phase, Policy, Sample, Transition

if TYPE_CHECKING:
    from spanglass_server.alerting.backtest.courses import Course

_NO_DATA = -1


class Replay:
    """The state of one key, and all its transitions so far."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self.state = INITIAL
        self.transitions: list[Transition] = []

    def untouched_by(self, course: Course) -> bool:
        """Whether a stretch can't begin anything: nothing goes on, and its level is none everywhere.

        Where no data is an alert it matters that a key was seen.
        """
        at_rest = self.state.phase is Phase.INACTIVE and self._policy.no_data != "alert"
        return at_rest and not course.levels.any()

    def feed(self, course: Course) -> list[Transition]:
        """Take the next stretch; returns the transitions that it led to."""
        before = len(self.transitions)
        cells = _Cells.of(course)
        for first, last in _runs(course):
            if not self._rests_through(cells, first):
                self._feed_run(cells, first, last)
        return self.transitions[before:]

    def _rests_through(self, cells: _Cells, place: int) -> bool:
        """Whether a key that is at rest stays so, whatever the length of a run like this."""
        return not self.state.evaluated_ns and not cells.levels[place] and self._policy.no_data != "alert"

    def _feed_run(self, cells: _Cells, first: int, last: int) -> None:
        """Feed ticks that say the same, up to ``last``, which is one of them."""
        place = first
        while place <= last:
            changed = self._feed_tick(cells, place)
            settled = not changed and place > first and self._settled(cells, place)
            place = last if settled and place < last else place + 1

    def _settled(self, cells: _Cells, place: int) -> bool:
        """Whether more ticks like this one change nothing but when the key was last looked at."""
        if isnan(cells.values[place]):
            return self.state.phase is Phase.INACTIVE and self._policy.no_data != "alert"
        holds = cells.levels[place] > 0
        return self.state.phase is (Phase.FIRING if holds else Phase.INACTIVE)

    def _feed_tick(self, cells: _Cells, place: int) -> bool:
        sample = cells.sample(place)
        if not self.state.evaluated_ns and sample.value is None and sample.level is None:
            return False  # a key that was not seen yet, or is at rest
        state, transitions = advance(self.state, sample, self._policy, sample.time_ns)
        self.state = INITIAL if is_forgettable(state, self._policy) else state
        self.transitions += transitions
        return bool(transitions)


@dataclass(frozen=True, slots=True)
class _Cells:
    """A course as lists: a number of an array takes three times as long to read."""

    times_ns: list[int]
    values: list[float]
    levels: list[int]
    recovered: list[bool]
    holding: list[int] | None

    @classmethod
    def of(cls, course: Course) -> _Cells:
        return cls(
            course.times_ns.tolist(),
            course.values.tolist(),
            course.levels.tolist(),
            course.recovered.tolist(),
            None if course.holding is None else course.holding.tolist(),
        )

    def sample(self, place: int) -> Sample:
        """One tick."""
        value = self.values[place]
        return Sample(
            self.times_ns[place],
            None if isnan(value) else value,
            _severity(self.levels[place]),
            self.recovered[place],
            holding=None if self.holding is None else _severity(self.holding[place]),
        )


def _severity(rank: int) -> Severity | None:
    return SEVERITIES[rank - 1] if rank else None


def _runs(course: Course) -> list[tuple[int, int]]:
    """Stretches of ticks that say the same, each as its first and its last place."""
    says = course.levels.astype(np.int16) * 2 + course.recovered
    if course.holding is not None:
        says += 16 * course.holding.astype(np.int16)
    says[np.isnan(course.values)] = _NO_DATA
    if not says.size:
        return []
    edges = np.flatnonzero(np.diff(says)) + 1
    firsts = np.concatenate([[0], edges])
    lasts = np.concatenate([edges - 1, [says.size - 1]])
    return list(zip(firsts.tolist(), lasts.tolist(), strict=True))
