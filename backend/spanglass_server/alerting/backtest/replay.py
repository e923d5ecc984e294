"""One key through the state machine of live evaluation, without a call for ticks that can change nothing.

The states are those that the machine gives tick by tick: of a run of ticks that all say the same, those between the
first ones and the last are left out while the state is one that such a tick leaves as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spanglass_core.alerting.machine import advance
from spanglass_core.alerting.severity import SEVERITIES
from spanglass_core.alerting.states import INITIAL, Phase, Policy, Sample, Transition

if TYPE_CHECKING:
    from spanglass_server.alerting.backtest.courses import Course

_NO_DATA = -1


class Replay:
    """The state of one key, and all its transitions so far."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._known = False  # a key without data that never had any has no state
        self.state = INITIAL
        self.transitions: list[Transition] = []

    def untouched_by(self, course: Course) -> bool:
        """Whether a stretch can't begin anything: nothing goes on, and its level is none everywhere."""
        if self.state.phase is not Phase.INACTIVE or course.levels.any():
            return False
        return self._policy.no_data != "alert" or not np.isnan(course.values).any()

    def feed(self, course: Course) -> list[Transition]:
        """Take the next stretch; returns the transitions that it led to."""
        before = len(self.transitions)
        start = 0 if self._known else _first_value(course)
        for first, last in _runs(course, start):
            self._known = True
            self._feed_run(course, first, last)
        return self.transitions[before:]

    def _feed_run(self, course: Course, first: int, last: int) -> None:
        """Feed ticks that say the same, up to ``last``, which is one of them."""
        place = first
        while place <= last:
            changed = self._feed_tick(course, place)
            settled = not changed and place > first and self._settled(course, place)
            place = last if settled and place < last else place + 1

    def _settled(self, course: Course, place: int) -> bool:
        """Whether more ticks like this one change nothing but when the key was last looked at."""
        if np.isnan(course.values[place]):
            return self.state.phase is Phase.INACTIVE and self._policy.no_data != "alert"
        holds = course.levels[place] > 0
        return self.state.phase is (Phase.FIRING if holds else Phase.INACTIVE)

    def _feed_tick(self, course: Course, place: int) -> bool:
        value, level = float(course.values[place]), int(course.levels[place])
        sample = Sample(
            int(course.times_ns[place]),
            None if np.isnan(value) else value,
            SEVERITIES[level - 1] if level else None,
            bool(course.recovered[place]),
        )
        self.state, transitions = advance(self.state, sample, self._policy, sample.time_ns)
        self.transitions += transitions
        return bool(transitions)


def _first_value(course: Course) -> int:
    present = ~np.isnan(course.values)
    return int(present.argmax()) if present.any() else len(present)


def _runs(course: Course, start: int) -> list[tuple[int, int]]:
    """Stretches of ticks that say the same, each as its first and its last place."""
    says = course.levels[start:].astype(np.int16) * 2 + course.recovered[start:]
    says[np.isnan(course.values[start:])] = _NO_DATA
    if not says.size:
        return []
    edges = np.flatnonzero(np.diff(says)) + 1
    firsts = np.concatenate([[0], edges]) + start
    lasts = np.concatenate([edges - 1, [says.size - 1]]) + start
    return list(zip(firsts.tolist(), lasts.tolist(), strict=True))
