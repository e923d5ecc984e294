"""Reads what is watched bit by bit, within a share of a core: hours of the past, then each step as it is over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from spanglass_server.anomalies.detecting.usual import STEPS
from spanglass_server.anomalies.model import STEP_MS, Kind
from spanglass_server.anomalies.watching.arrivals import Arrivals, received_steps
from spanglass_server.anomalies.watching.judged import Traffic, judge_step
from spanglass_server.anomalies.watching.memory import HOURS
from spanglass_server.anomalies.watching.sources import LogPatterns, Metric, Operations, metrics_of
from spanglass_server.anomalies.watching.telling import merged
from spanglass_server.anomalies.watching.watched import READY_HOURS, Clock, Watched
from spanglass_server.pace import REST_NEW, REST_PAST
from spanglass_server.promql.errors import PromqlError
from spanglass_server.query.errors import BadQuestionError
from spanglass_server.store.ports import QueryMemoryError, Window
from spanglass_server.times import NS_PER_MS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from spanglass_server.anomalies.store.store import AnomalyStore
    from spanglass_server.anomalies.watching.sources import Source
    from spanglass_server.pace import Pace
    from spanglass_server.promql.ports import SeriesSource
    from spanglass_server.store.ports import QuerySession

    Question = Callable[[QuerySession, SeriesSource], Any]

_IDLE_S: Final = 15.0
#: Records come late: a step is judged, and an hour is read, when it is over for so long.
_LATE_MS, _LATE_HOUR_MS = 60_000, 360_000
#: One question reads so many steps.
_STEPS_AT_ONCE: Final = 12
_SOURCES_AT_ONCE: Final = 8
#: Which metrics there are is asked so often (sooner where that failed), of so much time.
_LIST_EVERY_MS, _LIST_AGAIN_MS, _LISTED_NS = 3_600_000, 60_000, 3_600_000 * NS_PER_MS
_HOUR_MS: Final = STEPS * STEP_MS
#: The first whole step after the start lies so many steps at most after the newest that is over.
_AHEAD_STEPS: Final = 4


@dataclass(slots=True)
class Watcher:
    """Works in steps of one question each; called by one thread.

    ``ask`` runs a question over a session and its series, ``first_ns`` is the time of the oldest record (None without
    any), ``now_ns`` the time. ``used`` is how often rules and dashboards name a metric; of all metrics ``most_series``
    series are watched.
    """

    store: AnomalyStore
    ask: Callable[[Question], Any]
    first_ns: Callable[[], int | None]
    now_ns: Callable[[], int]
    pace: Pace
    used: Callable[[str], int]
    most_series: int
    problems: dict[str, str] = field(default_factory=dict)
    left_out: int = 0
    watched: list[Watched] = field(default_factory=list)
    _listed_ms: int | None = None
    _steps: int = 0
    _traffic: Traffic = field(default_factory=Traffic)
    _arrivals: Arrivals = field(init=False)
    _whole_step: int = 0  # the first in which the server was there from its begin on
    _tidied_step: int = 0

    def __post_init__(self) -> None:
        self._begin()

    def is_due(self) -> bool:
        """Whether it is time for a step, within the share of a core."""
        return self.pace.is_due()

    def step(self) -> bool:
        """Do one piece of the work; False if there was none."""
        with self.pace.piece(REST_PAST) as piece:
            clock = self._clock()
            if clock is not None:
                self._notice_the_clock(clock)
                if self._list():
                    return True
                for work, rest in (
                    (self._read_new_hours, REST_NEW),
                    (self._judge, REST_NEW),
                    (self._tidy, REST_NEW),
                    (self._read_past, REST_PAST),
                ):
                    piece.rest = rest
                    if work(clock):
                        return True
            piece.least_s = _IDLE_S
            return False

    @property
    def first_hour(self) -> int:
        """The first hour of which all is stored, counted since 1970."""
        first_ns = self.first_ns()
        return 0 if first_ns is None else -(-(first_ns // NS_PER_MS) // _HOUR_MS)

    def _clock(self) -> Clock | None:
        if self.first_ns() is None:
            return None
        now_ms = self.now_ns() // NS_PER_MS
        step, hour = (now_ms - _LATE_MS) // STEP_MS, (now_ms - _LATE_HOUR_MS) // _HOUR_MS - 1
        return Clock(step, hour, self.first_hour)

    def _begin(self) -> None:
        """Know nothing of when records came; what came before this moment was received by another process."""
        self._arrivals = Arrivals(received_steps)
        self._whole_step = -(-self.now_ns() // (STEP_MS * NS_PER_MS)) + 1

    def _notice_the_clock(self, clock: Clock) -> None:
        """Where the clock went back behind what was read, begin anew."""
        ahead = [each.is_ahead(clock) for each in self.watched]
        if any(ahead) or self._whole_step > clock.step + _AHEAD_STEPS:
            self.watched = [
                Watched.of(each.source) if it else each for it, each in zip(ahead, self.watched, strict=True)
            ]
            self._tidied_step = 0
            self._begin()

    def _tidy(self, clock: Clock) -> bool:
        """Once a step, when all is judged, end anomalies of series that are gone."""
        if self._tidied_step >= clock.step or not any(each.judged_to == clock.step for each in self.watched):
            return False
        self._tidied_step = clock.step
        self._arrivals.forget(clock.hour - HOURS)
        self.store.keep((), {}, {}, self.now_ns())
        return True

    def _list(self) -> bool:
        """Ask which metrics there are, once an hour."""
        now_ms = self.now_ns() // NS_PER_MS
        if self._listed_ms is not None and 0 <= now_ms - self._listed_ms < _LIST_EVERY_MS:
            return False
        self._listed_ms = now_ms
        window = Window(self.now_ns() - _LISTED_NS, self.now_ns())
        found = self._asked("metrics", lambda session, _: metrics_of(session, window, self.most_series, self.used))
        if found is None:
            self._listed_ms = now_ms - _LIST_EVERY_MS + _LIST_AGAIN_MS
        metrics: list[Metric] = found[0] if found is not None else []
        self.left_out = found[1] if found is not None else self.left_out
        known = {each.source.name: each for each in self.watched}
        sources: list[Source] = [Operations(), LogPatterns(), *metrics]
        listed = [known.get(each.name) or Watched.of(each) for each in sources]
        names = {each.name for each in sources}
        others = [each for each in self.watched if each.source.name not in names]
        self.watched = [*listed, *(others if found is None else self._still_known(listed, others))]
        return True

    def _still_known(self, listed: list[Watched], others: list[Watched]) -> list[Watched]:
        """Metrics that had no value lately are kept while there is room: they may come again."""
        kept, room = [], self.most_series - sum(each.series for each in listed if isinstance(each.source, Metric))
        for each in others:
            if 0 < each.series <= room:
                room -= each.series
                kept.append(each)
        return kept

    def _read_new_hours(self, clock: Clock) -> bool:
        """Read hours that are over since, or the newest of a source that is new."""
        for each in self._in_turn() if clock.first_hour <= clock.hour else ():
            if each.hours_to is None:
                first = max(clock.hour - each.at_once + 1, clock.first_hour)
                if self._read(each, first, clock.hour):
                    each.hours_from, each.hours_to, each.judged_to = first, clock.hour, clock.step - 1
                return True
            if each.hours_to < clock.hour:
                to = min(clock.hour, each.hours_to + each.at_once)
                if self._read(each, each.hours_to + 1, to):
                    each.hours_to = to
                    for memory in each.memories:
                        memory.forget()
                return True
        return False

    def _read_past(self, clock: Clock) -> bool:
        for each in self._in_turn():
            oldest = each.oldest_hour(clock)
            if each.hours_from > oldest:
                first = max(each.hours_from - each.at_once, oldest)
                if self._read(each, first, each.hours_from - 1):
                    each.hours_from = first
                return True
        return False

    def _in_turn(self) -> list[Watched]:
        return sorted(self.watched, key=lambda each: each.stepped)

    def _read(self, watched: Watched, first: int, last: int) -> bool:
        """Read whole hours; False where fewer are to be read at once. Where one alone fails it stays empty."""
        self._steps += 1
        watched.stepped = self._steps
        first_step, number = first * STEPS + 1, (last - first + 1) * STEPS
        source = watched.source
        answer = self._asked(
            source.name,
            lambda session, series: (
                self._arrivals.hours(session, first, last - first + 1),
                source.read(session, series, first_step, number),
            ),
        )
        if answer is None and last > first:
            watched.at_once = (last - first + 1) // 2
            return False
        if answer is None:
            return True
        received, found = answer
        heard = _heard(source, found, received)
        for memory, (labels, values) in zip(watched.memories, found, strict=True):
            memory.put_hours(first_step, labels, values, heard)
        return True

    def _judge(self, clock: Clock) -> bool:
        """Judge some sources at once: with hundreds of metrics, a pause after each would take longer than a step."""
        behind = [each for each in self._in_turn() if each.judged_to < clock.step and each.is_ready(clock.first_hour)]
        for each in behind[:_SOURCES_AT_ONCE]:
            self._judge_steps(each, clock)
        return bool(behind)

    def _judge_steps(self, watched: Watched, clock: Clock) -> None:
        self._steps += 1
        watched.stepped = self._steps
        first = max(watched.judged_to + 1, clock.step - _STEPS_AT_ONCE + 1, self._whole_step)
        number, source = clock.step - first + 1, watched.source
        if number <= 0:
            watched.judged_to = clock.step
            return
        answer = self._asked(
            source.name,
            lambda session, series: (
                self._arrivals.steps(session, first, number),
                source.read(session, series, first, number),
            ),
        )
        watched.judged_to = clock.step
        received, found = answer if answer is not None else (np.zeros(0, np.bool_), [])
        for place in np.flatnonzero(received).tolist():
            values = [(labels, columns[:, place]) for labels, columns in found]
            judged = judge_step(source, watched.memories, values, first + place, self._traffic)
            if judged is None:
                continue
            told = []
            for teller, memory, one in zip(watched.tellers, watched.memories, judged, strict=True):
                is_known = memory.heard_hours >= READY_HOURS
                memory.put_shown(first + place, one.shown)
                told.append(teller.tell(one.of(first + place, is_known=is_known), self.store))
            whole = merged(told)
            if whole.begun or whole.going_on or whole.ended:
                self.store.keep(whole.begun, whole.going_on, whole.ended, self.now_ns())

    def _asked(self, name: str, question: Question) -> Any:
        """What a question gives, or None, with the problem told by name."""
        try:
            found = self.ask(question)
        except (PromqlError, BadQuestionError, QueryMemoryError) as problem:
            self.problems[name] = str(problem)
            return None
        self.problems.pop(name, None)
        return found


def _heard(source: Source, found: Any, received: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Of which steps (steps,) something is known: of operations not where none of them had a request."""
    if source.parts[0].kind is not Kind.REQUESTS:
        return received
    return np.asarray(received & (np.nan_to_num(found[0][1]) > 0).any(axis=0))
