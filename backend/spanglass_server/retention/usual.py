"""Bounds of slow traces, the same for all spans of a day, whenever they are judged.

They are measured once, when the first span of a day is judged, and kept before anything is done by them. Measured
anew, after ordinary traces were thinned, they would be others, and a trace of two segments could be kept in one of them
and thinned in the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from spanglass_server.retention.finding import measure_bounds
from spanglass_server.retention.occupied import DAY_NS, runs
from spanglass_server.signals import Signal
from spanglass_server.store.ports import Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.retention.store import RetentionStore
    from spanglass_server.store.ports import QuerySession

#: Of so many days with spans bounds are kept, the newest ones; there are none of days before these.
MOST_DAYS: Final = 1000


class UsualDurations:
    """Bounds out of the store, measured where there are none. Used by one thread; ``OSError``, ``QueryError``."""

    def __init__(self, store: RetentionStore) -> None:
        self._store = store

    def bounds(self, session: QuerySession, days: Sequence[int]) -> Sequence[tuple[int, str, str, int]]:
        """Return bounds of days since 1970; see ``finding.Bounds``. They are durable when it returns."""
        known = self._store.bounds_of(days)
        first = self._store.first_bound_day(MOST_DAYS)
        missing = [day for day in days if day not in known and day >= first and _has_spans(session, day)]
        for start, end in runs(missing):
            wanted = [day for day in missing if start <= day <= end]
            found = measure_bounds(session, Window(start * DAY_NS, (end + 1) * DAY_NS))
            new = {day: [row[1:] for row in found if row[0] == day] for day in wanted}
            self._store.keep_bounds(new, MOST_DAYS)
            known |= new
        return [(day, *row) for day in days for row in known.get(day, ())]


def _has_spans(session: QuerySession, day: int) -> bool:
    return bool(session.parts(Signal.SPANS, Window(day * DAY_NS, (day + 1) * DAY_NS)))
