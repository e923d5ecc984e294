"""A rule over a range, piece by piece, so that memory stays bounded however long the range is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.alerting.backtest.courses import Course, course_of, joined, without_data
from spanglass_server.alerting.backtest.fires import Fire, take
from spanglass_server.alerting.backtest.replay import Replay
from spanglass_server.alerting.backtest.ticks import piece_size
from spanglass_server.alerting.model import NOT_STORED, Failure, Readings
from spanglass_server.store.ports import QueryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from spanglass_core.alerting.rule import Rule
    from spanglass_core.alerting.states import Policy
    from spanglass_server.alerting.backtest.ticks import Ticks
    from spanglass_server.alerting.model import Key
    from spanglass_server.alerting.ports import Evaluator
    from spanglass_server.promql.series.vectors import Steps
    from spanglass_server.store.ports import QuerySession

#: Values of keys that crossed a threshold are kept for what is tried on them afterwards: 64 MB.
_MOST_KEPT = 4_000_000


@dataclass(slots=True)
class Watched:
    """A key that has crossed a threshold: what it went through, and its values from then on."""

    key: Key
    replay: Replay
    fires: list[Fire] = field(default_factory=list)
    kept: list[Course] = field(default_factory=list)

    def feed(self, course: Course) -> None:
        """Take the next stretch."""
        take(self.fires, self.replay.feed(course))
        for fire in reversed(self.fires):
            if fire.ended_ns and fire.ended_ns < course.times_ns[0]:
                break
            fire.see(course)

    def course(self) -> Course:
        """All that was kept."""
        return joined(self.kept)


@dataclass(slots=True)
class Walk:
    """What became of a range: ``ticks`` of it were evaluated. ``pieces`` are given on as they are read."""

    watched: dict[Key, Watched] = field(default_factory=dict)
    keys: set[Key] = field(default_factory=set)
    ticks: int = 0
    kept: int = 0
    unit: str = ""
    thresholds: dict[int, float] = field(default_factory=dict)
    warnings: dict[str, None] = field(default_factory=dict)
    missing: list[str] | None = None
    failure: Failure | None = None

    @property
    def keeps_all(self) -> bool:
        """Whether the values of all watched keys are at hand."""
        return self.kept <= _MOST_KEPT


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be walked. ``in_time`` is asked before each piece: when it says no, the walk ends there.

    ``live`` says at which ticks anything had come in: at the others live evaluation changes nothing.
    """

    session: QuerySession
    evaluator: Evaluator
    rule: Rule
    ticks: Ticks
    in_time: Callable[[], bool]
    live: Callable[[QuerySession, Steps], NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class _Piece:
    """What the rule says at some ticks, the first of which has this place; ``counted`` are those of them that count."""

    place: int
    readings: Readings
    counted: NDArray[np.int64]


def walk(task: Task, policy: Policy, see: Callable[[int, Readings], None]) -> Walk:
    """Evaluate all ticks and follow the keys; ``see`` gets each piece with the place of its first tick.

    Ends early, with a warning, when the time is used up. ``QueryError`` is raised if nothing could be evaluated.
    """
    found = Walk()
    for piece in _pieces(task, found):
        _follow(found, piece.readings, piece.counted, policy)
        see(piece.place, piece.readings)
    found.warnings.update(dict.fromkeys(found.missing or ()))
    if found.ticks < task.ticks.count and found.failure is None:
        found.warnings["the range was not evaluated to its end: that takes too long; choose a shorter one"] = None
    return found


def _pieces(task: Task, found: Walk) -> Iterator[_Piece]:
    most = piece_size(None)
    while found.ticks < task.ticks.count and (not found.ticks or task.in_time()):
        place, size = found.ticks, min(most, task.ticks.count - found.ticks)
        steps = task.ticks.steps(place, size)
        try:
            read = task.evaluator.evaluate(task.session, [task.rule], steps)[task.rule.uid]
            counts = task.live(task.session, steps) if isinstance(read, Readings) else np.empty(0, bool)
        except QueryError:
            if not found.ticks:
                raise
            return
        if isinstance(read, Failure):
            # A condition that is right may still be too much for one piece: too many samples.
            if size == 1 or read.column:
                found.failure = read
                return
            most = max(1, size // 4)
            continue
        found.ticks += size
        most = min(piece_size(len(read.keys)), most * 4)
        yield _Piece(place, read, np.flatnonzero(counts))


def _warn(found: Walk, warnings: Sequence[str]) -> None:
    """Keep the warnings of a piece. That nothing is stored of a metric is told where it is true of every piece."""
    missing = [text for text in warnings if text.startswith(NOT_STORED)]
    found.missing = missing if found.missing is None else [text for text in found.missing if text in missing]
    found.warnings.update(dict.fromkeys(text for text in warnings if text not in missing))


def _follow(found: Walk, readings: Readings, places: NDArray[np.int64], policy: Policy) -> None:
    found.unit = readings.unit or found.unit
    found.thresholds = dict(readings.thresholds) or found.thresholds
    _warn(found, readings.warnings)
    present = np.any(~np.isnan(readings.values), axis=1).tolist()
    found.keys.update(key for key, has_data in zip(readings.keys, present, strict=True) if has_data)
    rows = {key: row for row, key in enumerate(readings.keys)}
    if not places.size:
        return
    for row in _begins(readings, policy):
        key = readings.keys[row]
        if key not in found.watched:
            found.watched[key] = Watched(key, Replay(policy))
    for key, watched in found.watched.items():
        row_of_key = rows.get(key)
        if row_of_key is None:
            course = without_data(readings.times_ns[places])
        else:
            course = course_of(readings, row_of_key, places)
        if not watched.replay.untouched_by(course):
            watched.feed(course)
        found.kept += len(course.times_ns)
        if found.keeps_all:
            watched.kept.append(course)
    if not found.keeps_all:
        for watched in found.watched.values():
            watched.kept.clear()


def _begins(readings: Readings, policy: Policy) -> list[int]:
    """Rows of keys that may begin to fire in a piece, found in one pass; any may, where no data is an alert."""
    if policy.no_data == "alert":
        return list(range(len(readings.keys)))
    rows: list[int] = np.flatnonzero(np.any(readings.levels > 0, axis=1)).tolist()
    return rows
