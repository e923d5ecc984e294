"""Bounds of slow traces, the same for all spans of a day, whenever they are judged.

They are measured once, when the first span of a day is judged, and kept. Measured anew, after ordinary traces were
thinned, they would be others, and a trace of two segments could be kept in one of them and thinned in the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from spanglass_server.retention.finding import DAY_NS, measure_bounds
from spanglass_server.signals import Signal
from spanglass_server.store.ports import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spanglass_server.retention.store import RetentionStore
    from spanglass_server.store.ports import QuerySession

#: Longer ago, bounds are measured anew where they are asked for again.
_KEPT_DAYS: Final = 400


class UsualDurations:
    """Bounds out of the store, measured where there are none. Used by one thread; ``OSError``, ``QueryError``."""

    def __init__(self, store: RetentionStore, clock_ns: Callable[[], int]) -> None:
        self._store = store
        self._clock_ns = clock_ns

    def bounds(self, session: QuerySession, start_ns: int, end_ns: int) -> Sequence[tuple[int, str, str, int]]:
        """Return bounds of the days of a range; see ``finding.Bounds``. Those of days that are over are kept."""
        return [row for day in range(start_ns // DAY_NS, -(-end_ns // DAY_NS)) for row in self._of_day(session, day)]

    def _of_day(self, session: QuerySession, day: int) -> Sequence[tuple[int, str, str, int]]:
        window = Window(day * DAY_NS, (day + 1) * DAY_NS)
        if not session.parts(Signal.SPANS, window):
            return ()
        known = self._store.bounds(day)
        if known is not None:
            return [(day, *row) for row in known]
        found = measure_bounds(session, window)
        today = self._clock_ns() // DAY_NS
        if day < today:
            self._store.keep_bounds(day, [row[1:] for row in found], today - _KEPT_DAYS)
        return found
