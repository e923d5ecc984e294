"""Reads the past of all quantities bit by bit, and computes what is told of them, within a share of a core."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from spanglass_server.pace import REST_PAST, Pace
from spanglass_server.promql.engine import Options, range_query
from spanglass_server.promql.errors import PromqlError
from spanglass_server.promql.series.labels import NAME
from spanglass_server.promql.series.vectors import Steps, Vector
from spanglass_server.query.errors import BadQuestionError
from spanglass_server.store.ports import QueryMemoryError
from spanglass_server.times import NS_PER_MS
from spanglass_server.trends.found import find
from spanglass_server.trends.history import DAYS, WEEKS, History
from spanglass_server.trends.quantities import QUANTITIES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from spanglass_server.promql.ports import SeriesSource
    from spanglass_server.trends.board import Board
    from spanglass_server.trends.history import Course, Labels
    from spanglass_server.trends.quantities import Quantity
    from spanglass_server.trends.thresholds import Threshold

#: A quantity is computed anew after so many times the processor time that this took, so that others have their turn.
_APART: Final = 200
#: Of so many steps of a quantity one reads the past, though there are new places: they may come faster than turns.
_PAST_EVERY: Final = 3
#: Without anything to do, the watcher looks again after so long.
_IDLE_S: Final = 15.0
#: Records come late; a place of the grid is read when it is over for so long.
_LATE_MS: Final = 60_000
#: Rates are of so long before each place: the window of ``Quantity``.
_RATES_MS: Final = 300_000
#: From this age on of the oldest record, the past is read by the hour.
_YOUNG_MS: Final = 2 * 86_400_000
#: Once it is, this much is enough: where records are kept for two days, their age goes up and down.
_STILL_MS: Final = 86_400_000
#: Where older records come than there were, more of them will follow: everything is read anew, then and after so long.
_AGAIN_MS: Final = (120_000, 600_000)


@dataclass(slots=True)
class _Watched:
    history: History
    computing: Pace
    computed: tuple[int, float] | None = None  # the last place and the share that was read then
    stepped: int = 0  # the number of its last step
    turns: int = 0

    def missing(self) -> tuple[int, int] | None:
        """The next places to read: the newest, but every third turn those before what was read."""
        return self.history.missing(past_first=self.turns % _PAST_EVERY == _PAST_EVERY - 1)


@dataclass(slots=True)
class Watcher:
    """Works in steps, each of one question and one quantity to compute; called by one thread.

    ``ask`` runs a query over a session's series, ``first_ns`` is the time of the oldest record (None without any),
    ``now_ns`` the time.
    """

    board: Board
    ask: Callable[[Callable[[SeriesSource], Any]], Any]
    first_ns: Callable[[], int | None]
    now_ns: Callable[[], int]
    thresholds: Callable[[], Sequence[Threshold]] = tuple
    new_pace: Callable[[], Pace] = Pace
    problems: dict[str, str] = field(default_factory=dict)
    _watched: dict[str, _Watched] = field(default_factory=dict)
    _course: Course = DAYS
    _first_ms: int | None = None
    _was_empty: bool = False
    _again_ms: list[int] = field(default_factory=list)
    _pace: Pace = field(init=False)
    _steps: int = 0

    def __post_init__(self) -> None:
        self._pace = self.new_pace()

    def is_due(self) -> bool:
        """Whether it is time for a step, within the share of a core."""
        return self._pace.is_due()

    def step(self) -> bool:
        """Do one piece of the work; False if there was none."""
        with self._pace.piece(REST_PAST) as piece:
            found = self._next()
            if found is None:
                piece.least_s = _IDLE_S
                return False
            quantity, watched = found
            missing = watched.missing()
            self._steps += 1
            watched.stepped, watched.turns = self._steps, watched.turns + 1
            if missing is not None:
                self._read(quantity, watched.history, missing)
            if self._is_to_compute(watched):
                self._compute(quantity, watched)
            return True

    def _next(self) -> tuple[Quantity, _Watched] | None:
        """The quantity with something to do whose last step is longest ago."""
        first_ns = self.first_ns()
        if first_ns is None:
            self._was_empty = True
            return None
        now_ms, first_ms = self.now_ns() // NS_PER_MS, first_ns // NS_PER_MS
        self._begin(first_ms, now_ms)
        last = (now_ms - _LATE_MS) // self._course.step_ms
        behind: list[tuple[Quantity, _Watched]] = []
        for quantity in QUANTITIES:
            if quantity.name not in self._watched:
                self._watched[quantity.name] = _Watched(History(self._course, last), self.new_pace())
            watched = self._watched[quantity.name]
            history = watched.history
            history.advance(last)
            if first_ms // self._course.step_ms >= history.oldest_read:
                history.nothing_before()
            if history.missing() is not None or self._is_to_compute(watched):
                behind.append((quantity, watched))
        return min(behind, key=lambda each: each[1].stepped, default=None)

    def _begin(self, first_ms: int, now_ms: int) -> None:
        """Begin anew where the past is to be read in another way, or is not what it was."""
        enough_ms = _YOUNG_MS if self._course is DAYS else _STILL_MS
        course = DAYS if now_ms - first_ms < enough_ms else WEEKS
        before_ms = now_ms if self._was_empty else self._first_ms
        is_older = before_ms is not None and first_ms < before_ms - course.step_ms
        self._was_empty = False
        if is_older:
            self._again_ms = [now_ms + later for later in _AGAIN_MS]
        self._first_ms = first_ms
        is_again = bool(self._again_ms) and now_ms >= self._again_ms[0]
        if is_again:
            self._again_ms.pop(0)
        if course is not self._course:
            self.board.clear()
        if course is not self._course or is_older or is_again:
            self._course, self._watched = course, {}

    def _read(self, quantity: Quantity, history: History, missing: tuple[int, int]) -> None:
        first, number = missing
        steps = Steps(first * history.course.step_ms, history.course.step_ms, number)
        labels: tuple[Labels, ...] = ()
        values = np.empty((0, number))
        try:
            labels, values = self.ask(lambda source: values_of(source, quantity.promql, steps))
            self.problems.pop(quantity.name, None)
            if quantity.unit == "/s" and self._first_ms is not None:
                values = without_first(values, steps, self._first_ms)
        except (PromqlError, BadQuestionError, QueryMemoryError) as problem:  # these places stay empty
            self.problems[quantity.name] = str(problem)
        history.put(first, labels, values)

    def _compute(self, quantity: Quantity, watched: _Watched) -> None:
        with watched.computing.piece(_APART):
            self.board.put(find(quantity, watched.history, self.thresholds()))
            watched.computed = watched.history.last, watched.history.share_read

    def _is_to_compute(self, watched: _Watched) -> bool:
        """Whether its newest places are read, there is something to tell, and it was not just computed."""
        return watched.computing.is_due() and watched.history.is_read_to_last and _is_outdated(watched)


def without_first(values: NDArray[np.float64], steps: Steps, first_ms: int) -> NDArray[np.float64]:
    """Rates (series, places) without those whose window begins before the first record: they are too low."""
    ends_ms = steps.start_ms + steps.step_ms * np.arange(values.shape[1])
    return np.where(ends_ms - _RATES_MS < first_ms, np.nan, values)


def _is_outdated(watched: _Watched) -> bool:
    """Anew when there is a new place, and when a quarter more of the past was read, or all of it."""
    history = watched.history
    if watched.computed is None:  # without series there is nothing to tell before all was read
        return bool(history.labels) or history.missing() is None
    last, share = watched.computed
    is_whole = history.missing() is None and share < history.share_read
    return history.last > last or history.share_read >= share + 0.25 or is_whole


def values_of(source: SeriesSource, promql: str, steps: Steps) -> tuple[tuple[Labels, ...], Any]:
    """The labels of an expression's series, and their values (series, steps), NaN where there is none.

    Raises what evaluation of the expression raises.
    """
    value = range_query(source, promql, steps, Options(each_alone=True)).value
    if not isinstance(value, Vector):
        return (), np.empty((0, steps.size))
    values = np.where(value.present & np.isfinite(value.values), value.values, np.nan)
    rows = value.labels.drop({NAME}).rows()
    return tuple(tuple(sorted((key, text) for key, text in row.items() if text)) for row in rows), values
