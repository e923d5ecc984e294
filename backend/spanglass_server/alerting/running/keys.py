"""The keys of one rule through the state machine: those to which nothing happens cost nothing in Python."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from spanglass_core.alerting.machine import advance, is_forgettable
from spanglass_core.alerting.severity import SEVERITIES
from spanglass_core.alerting.states import INITIAL, Phase, Sample
from spanglass_server.alerting.model import Failure
from spanglass_server.promql.evaluation.windows import step_times
from spanglass_server.times import NS_PER_MS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from spanglass_core.alerting.severity import Severity
    from spanglass_core.alerting.states import Policy, State, Transition
    from spanglass_server.alerting.model import Key, Readings
    from spanglass_server.alerting.running.reading import Piece


@dataclass(frozen=True, slots=True)
class Again:
    """A condition holds again while its alert kept firing."""

    time_ns: int
    severity: Severity | None
    value: float | None


@dataclass(slots=True)
class KeyChange:
    """What became of one key: its state before and after, and what happened in between.

    ``moves`` are in their order. ``value`` is the last one that it had while it fired.
    """

    key: Key
    before: State
    after: State
    moves: list[Transition | Again] = field(default_factory=list)
    value: float | None = None


@dataclass(slots=True)
class Fed:
    """What became of a rule's keys at some ticks, and how it stands after the last one."""

    changes: dict[Key, KeyChange] = field(default_factory=dict)
    with_data: int = 0  # keys at the last tick
    is_counted: bool = False  # no key means that there was nothing to count
    worst: float | None = None  # the value of the key with the highest level at the last tick
    unit: str = ""
    error: str = ""
    failed: int = 0  # evaluations
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """What the state machine is to know, and how many keys a rule may have."""

    policy: Policy
    max_keys: int
    now_ns: int


def feed(
    states: Mapping[Key, State], pieces: Sequence[Piece], limits: Limits, live: NDArray[np.bool_] | None = None
) -> Fed:
    """Take the keys of a rule through ticks. ``states`` are those of keys that are not at rest.

    ``live`` says of each tick of all pieces whether anything came in around it; at the others nothing changes.
    """
    fed = Fed()
    place = 0
    for piece in pieces:
        inside = None if live is None else live[place : place + piece.steps.size]
        place += piece.steps.size
        _Feeding(fed, states, limits, inside).take(piece)
    return fed


class _Feeding:
    """One piece on its way through the state machine."""

    def __init__(self, fed: Fed, states: Mapping[Key, State], limits: Limits, live: NDArray[np.bool_] | None) -> None:
        self._fed = fed
        self._states = states
        self._limits = limits
        self._live = live

    def take(self, piece: Piece) -> None:
        """Feed a piece, whatever it is."""
        times = (step_times(piece.steps) * NS_PER_MS).tolist()
        places = [place for place in range(len(times)) if self._live is None or self._live[place]]
        if isinstance(piece.said, Failure):
            self._fed.error = piece.said.message
            self._fed.failed += len(places)
            for key in self._known():
                self._advance(key, (Sample(times[place], error=piece.said.message) for place in places))
            return
        self._fed.error = ""
        self._take_readings(piece.said, times, places)

    def _known(self) -> list[Key]:
        """Keys that are not at rest now, or were not before these ticks."""
        return list(dict.fromkeys([*self._states, *self._fed.changes]))

    def _take_readings(self, readings: Readings, times: list[int], places: list[int]) -> None:
        rows = {key: row for row, key in enumerate(readings.keys)} if self._states or self._fed.changes else {}
        known = self._known()
        counted = self._counted(readings, rows, known)
        self._tell(readings, counted)
        begins = readings.levels[:, places].any(axis=1) if places else np.zeros(len(readings.keys), bool)
        if self._limits.policy.no_data == "alert":  # keys without data matter once they were seen
            begins = ~np.isnan(readings.values[:, places]).all(axis=1) if places else begins
        begins &= counted
        for row in np.flatnonzero(begins).tolist():
            key = readings.keys[row]
            if key not in self._states and key not in self._fed.changes:
                known.append(key)
                rows[key] = row
        for key in known:
            found = rows.get(key)
            if found is None:
                self._advance(key, (Sample(times[place]) for place in places))
            else:
                self._advance(key, _samples(readings, found, times, places))

    def _counted(self, readings: Readings, rows: Mapping[Key, int], known: Sequence[Key]) -> NDArray[np.bool_]:
        """Which keys count: all up to the limit; past it those that have a state, then the first ones.

        Keys that have a state and no data count too: else one that changes all the time would have ever more alerts.
        """
        mine = [rows[key] for key in known if key in rows]
        size, most = len(readings.keys) + len(known) - len(mine), self._limits.max_keys
        counted = np.ones(len(readings.keys), dtype=bool)
        if size > most:
            counted[:] = False
            counted[mine] = True
            others = np.flatnonzero(~counted)
            counted[others[: max(most - len(known), 0)]] = True
            text = f"{size} keys are more than alerting.max_keys: only the first {most} count; group by fewer labels"
            self._fed.warnings = (*readings.warnings, text)
        else:
            self._fed.warnings = readings.warnings
        return counted

    def _tell(self, readings: Readings, counted: NDArray[np.bool_]) -> None:
        """Note how the rule stands after these ticks."""
        self._fed.unit = readings.unit
        self._fed.is_counted = readings.is_counted
        values = np.where(counted, readings.values[:, -1], np.nan) if readings.keys else np.empty(0)
        present = np.flatnonzero(~np.isnan(values))
        self._fed.with_data = int(present.size)
        if present.size:
            levels = readings.levels[present, -1]
            highest = present[levels == levels.max()]
            self._fed.worst = float(values[highest].max())
        else:
            self._fed.worst = None

    def _advance(self, key: Key, samples: Iterable[Sample]) -> None:
        """Feed one key."""
        change = self._fed.changes.get(key)
        if change is None:
            before = self._states.get(key, INITIAL)
            change = KeyChange(key, before, before)
        state, policy, now_ns = change.after, self._limits.policy, self._limits.now_ns
        for sample in samples:
            if not state.evaluated_ns and sample.value is None and sample.level is None:
                continue  # a key that was not seen yet, or is at rest
            after, transitions = advance(state, sample, policy, now_ns)
            change.moves += transitions
            change.value = _value_of(sample, after, change.value)
            if state.phase is Phase.KEEP_FIRING and after.phase is Phase.FIRING:
                change.moves.append(Again(sample.time_ns, after.severity, sample.value))
            state = INITIAL if is_forgettable(after, policy) else after
        change.after = state
        if change.after.evaluated_ns or change.before.evaluated_ns or change.moves:
            self._fed.changes[key] = change


def _value_of(sample: Sample, state: State, before: float | None) -> float | None:
    if state.phase not in (Phase.FIRING, Phase.KEEP_FIRING):
        return None
    return before if sample.value is None else sample.value


def _samples(readings: Readings, row: int, times: list[int], places: list[int]) -> Iterable[Sample]:
    values, levels = readings.values[row].tolist(), readings.levels[row].tolist()
    recovered = readings.recovered[row].tolist()
    holding = levels if readings.holding is None else readings.holding[row].tolist()
    for place in places:
        value = values[place]
        yield Sample(
            times[place],
            value if value == value else None,  # noqa: PLR0124 - NaN is no data, and equals nothing
            SEVERITIES[levels[place] - 1] if levels[place] else None,
            recovered[place],
            holding=SEVERITIES[holding[place] - 1] if readings.holding is not None and holding[place] else None,
        )
