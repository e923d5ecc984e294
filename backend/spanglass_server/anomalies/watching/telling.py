"""What is told of judged steps: anomalies begin, go on and end, unless somebody said that they are fine."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.anomalies.detecting.episodes import LASTING, Episodes
from spanglass_server.anomalies.model import STEP_MS, Begun, Key, Kind, Seen
from spanglass_server.times import NS_PER_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from spanglass_server.anomalies.detecting.judging import Judged
    from spanglass_server.anomalies.model import Course, Labels
    from spanglass_server.anomalies.store.store import AnomalyStore
    from spanglass_server.anomalies.watching.memory import Memory
    from spanglass_server.anomalies.watching.sources import Part, Source

_STEP_NS = STEP_MS * NS_PER_MS


@dataclass(slots=True)
class Step:
    """A judged step of one part: values as they were judged, and for each row the requests that are affected.

    ``share`` is how much of ``whole``, all requests, that is, 0 to 1. ``is_known`` tells that the past is known well
    enough to say that something is new.
    """

    step: int
    judged: Judged
    affected: NDArray[np.float64]
    share: NDArray[np.float64]
    whole: NDArray[np.float64]
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
        self._counted = np.zeros((2, 0))  # requests affected, and all, in the steps in a row beyond what is usual
        self._labels: tuple[Labels, ...] = ()

    def tell(self, step: Step, store: AnomalyStore) -> Told:
        """Say what begins, goes on and ends with a step."""
        self._follow(store)
        change = self._episodes.step(step.judged.deviations, step.judged.matters)
        self._add_up(step)
        told = Told()
        fine = {each.key for each in store.fine() if each.holds(step.step * _STEP_NS)}
        kept = store.open_sides()
        for row in np.flatnonzero((change.ended > 0) | self._episodes.is_open).tolist():
            key = Key(self._part.kind, self._labels[row])
            if change.ended[row]:
                told.ended[key] = (step.step - int(change.ended[row])) * _STEP_NS, self._memory.course(row)
            if self._episodes.is_open[row] and key not in fine:
                self._of_row(row, key, step, told, is_kept=key in kept and not change.ended[row])
        return told

    def _of_row(self, row: int, key: Key, step: Step, told: Told, *, is_kept: bool) -> None:
        """Tell of what goes on: where it is not kept it begins, or what was fine is so no longer."""
        course, side = self._memory.course(row), int(self._episodes.open_side[row])
        deviation = float(step.judged.deviations[row])
        is_beyond = bool(step.judged.matters[row]) and deviation * side >= LASTING
        if is_kept and not np.isnan(deviation):
            told.going_on[key] = self._seen(row, step, 0.0 if deviation * side < 0 else 1.0), course
        elif not is_kept and is_beyond and not self._source.is_young(key.labels, step.step):
            number = max(1, int(self._episodes.beyond[row]))
            is_new = step.is_known and self._part.kind is Kind.LOGS and not self._memory.seen_before()[row]
            affected, whole = self._counted[:, row].tolist()
            seen = replace(self._seen(row, step), affected=affected, requests=whole)
            seen = replace(seen, impact=min(affected / whole, 1.0)) if whole else seen
            begun_ns = (step.step - number) * _STEP_NS
            title, writers = self._source.title(key.labels), self._source.writers(key.labels)
            one = Begun(key, title, self._part.unit, side, begun_ns, seen, is_new, writers)
            told.begun.append((one, course))

    def _add_up(self, step: Step) -> None:
        known, beyond = ~np.isnan(step.judged.deviations), self._episodes.beyond
        more = np.array([step.affected, step.whole])
        added = np.where(beyond > 1, self._counted, 0.0) + np.where(beyond > 0, more, 0.0)
        self._counted = np.where(known, added, self._counted)

    def _seen(self, row: int, step: Step, weight: float = 1.0) -> Seen:
        judged = step.judged
        value, expected, low, high = (
            float(each[row]) / self._part.factor for each in (judged.value, judged.expected, judged.low, judged.high)
        )
        surprise = weight * abs(float(judged.deviations[row])) if judged.matters[row] else 0.0
        share, affected, whole = (float(each[row]) for each in (step.share, step.affected, step.whole))
        return Seen(step.step * _STEP_NS, value, expected, low, high, min(surprise, 1e6), share, affected, whole)

    def _follow(self, store: AnomalyStore) -> None:
        """Have a state for each row: that it had before, or that anomalies of before the start go on."""
        labels = self._memory.labels
        if labels == self._labels:
            return
        before = {each: row for row, each in enumerate(self._labels)}
        rows = np.array([before.get(each, -1) for each in labels], np.intp)
        self._episodes = self._episodes.taken(rows)
        self._counted = np.where(rows >= 0, np.append(self._counted, np.zeros((2, 1)), axis=1)[:, rows], 0.0)
        self._labels = labels
        places = {each: row for row, each in enumerate(labels) if each not in before}
        for key, side in store.open_sides().items():
            if key.kind is self._part.kind and key.labels in places:
                self._episodes.open_side[places[key.labels]] = side


def merged(told: Sequence[Told]) -> Told:
    """All that was told of several parts."""
    whole = Told()
    for each in told:
        whole.begun += each.begun
        whole.going_on |= each.going_on
        whole.ended |= each.ended
    return whole
