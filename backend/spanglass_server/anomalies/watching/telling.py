"""What is told of judged steps: anomalies begin, go on and end, unless somebody said that they are fine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.anomalies.detecting.episodes import END_STEPS, Episodes
from spanglass_server.anomalies.model import STEP_MS, Begun, Key, Kind, Seen
from spanglass_server.times import NS_PER_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from spanglass_server.anomalies.detecting.episodes import Change
    from spanglass_server.anomalies.detecting.judging import Judged
    from spanglass_server.anomalies.model import Course, Labels
    from spanglass_server.anomalies.store.store import AnomalyStore
    from spanglass_server.anomalies.watching.memory import Memory
    from spanglass_server.anomalies.watching.sources import Part, Source

_STEP_NS = STEP_MS * NS_PER_MS


@dataclass(slots=True)
class Step:
    """A judged step of one part: values as they were judged, and for each row the requests that are affected.

    ``share`` is how much of all requests that is, 0 to 1. ``is_known`` tells that the past is known well enough to say
    that something is new.
    """

    step: int
    judged: Judged
    affected: NDArray[np.float64]
    share: NDArray[np.float64]
    is_known: bool


@dataclass(slots=True)
class Told:
    """What a step changed."""

    begun: list[tuple[Begun, Course]] = field(default_factory=list)
    going_on: dict[Key, tuple[Seen, Course]] = field(default_factory=dict)
    ended: dict[Key, tuple[int, Course | None]] = field(default_factory=dict)


class Teller:
    """Keeps the state of the series of one part between steps."""

    def __init__(self, source: Source, part: Part, memory: Memory) -> None:
        self._source, self._part, self._memory = source, part, memory
        self._episodes = Episodes.of(0)
        self._labels: tuple[Labels, ...] = ()

    def tell(self, step: Step, store: AnomalyStore) -> Told:
        """Say what begins, goes on and ends with a step."""
        self._follow(store, step.step)
        change = self._episodes.step(step.judged.deviations, step.judged.matters)
        told = Told()
        fine = {each.key for each in store.fine() if each.holds(step.step * _STEP_NS)}
        for row in np.flatnonzero((change.began > 0) | change.ended | self._episodes.is_open).tolist():
            key = Key(self._part.kind, self._labels[row])
            if key not in fine:
                self._of_row(row, key, step, change, told)
        return told

    def _of_row(self, row: int, key: Key, step: Step, change: Change, told: Told) -> None:
        course, now_ns = self._memory.course(row), step.step * _STEP_NS
        if change.ended[row]:
            told.ended[key] = now_ns - END_STEPS * _STEP_NS, course
        elif change.began[row]:
            begun = now_ns - int(change.began[row]) * _STEP_NS
            is_new = step.is_known and self._part.kind is Kind.LOGS and not self._memory.seen_before()[row]
            seen, side = self._seen(row, step), int(change.side[row])
            one = Begun(key, self._source.title(key.labels), self._part.unit, side, begun, seen, is_new)
            told.begun.append((one, course))
        elif not np.isnan(step.judged.deviations[row]):
            told.going_on[key] = self._seen(row, step), course

    def _seen(self, row: int, step: Step) -> Seen:
        judged = step.judged
        value, expected, low, high = (
            float(each[row]) / self._part.factor for each in (judged.value, judged.expected, judged.low, judged.high)
        )
        surprise = abs(float(judged.deviations[row])) if judged.matters[row] else 0.0
        share, affected = float(step.share[row]), float(step.affected[row])
        return Seen(step.step * _STEP_NS, value, expected, low, high, min(surprise, 1e6), share, affected)

    def _follow(self, store: AnomalyStore, step: int) -> None:
        """Have a state for each row: that it had before, or that anomalies of before the start go on."""
        labels = self._memory.labels
        if labels == self._labels:
            return
        before = {each: row for row, each in enumerate(self._labels)}
        self._episodes = self._episodes.taken(np.array([before.get(each, -1) for each in labels], np.intp))
        self._labels = labels
        places = {each: row for row, each in enumerate(labels) if each not in before}
        for known in store.known(step * _STEP_NS):
            if known.end_ns is None and known.key.kind is self._part.kind and known.key.labels in places:
                self._episodes.is_open[places[known.key.labels]] = True


def merged(told: Sequence[Told]) -> Told:
    """All that was told of several parts."""
    whole = Told()
    for each in told:
        whole.begun += each.begun
        whole.going_on |= each.going_on
        whole.ended |= each.ended
    return whole
