"""Events of objectives as series of PromQL, as one session sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from spanglass_server.promql.ports import EventCounts
from spanglass_server.slo.counting.minutes import HOUR
from spanglass_server.times import NS_PER_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spanglass_server.slo.counting.ledger import View
    from spanglass_server.slo.model import Objective

_MINUTE_MS: Final = 60_000
_HOUR_MS: Final = HOUR * _MINUTE_MS
#: What minutes are read of; older ones by their hours.
_BY_MINUTE_MS: Final = 32 * 24 * _HOUR_MS


class ObjectiveSeries:
    """An ``ObjectiveCounts`` over what is counted; for one session."""

    def __init__(self, objectives: Callable[[], Sequence[Objective]], view: View) -> None:
        self._objectives = objectives
        self._view = view
        self._known: dict[tuple[int, int, int], list[EventCounts]] = {}

    def is_empty(self) -> bool:
        """See ``ObjectiveCounts``."""
        return not self._objectives()

    def counts(self, step_ms: int, start_ms: int, end_ms: int) -> Sequence[EventCounts]:
        """See ``ObjectiveCounts``."""
        place = (step_ms, start_ms, end_ms)
        if place not in self._known:
            self._known[place] = self._counted(step_ms, start_ms, end_ms)
        return self._known[place]

    def _counted(self, step_ms: int, start_ms: int, end_ms: int) -> list[EventCounts]:
        objectives = self._objectives()
        unit_ms = _HOUR_MS if step_ms % _HOUR_MS == 0 and start_ms // step_ms * step_ms % _HOUR_MS == 0 else _MINUTE_MS
        if unit_ms == _MINUTE_MS:
            start_ms = max(start_ms, end_ms - _BY_MINUTE_MS)
        read = self._view.hours if unit_ms == _HOUR_MS else self._view.minutes
        counted = read(objectives, start_ms // unit_ms, end_ms // unit_ms)
        found = []
        for each in objectives:
            counts = counted[each.key]
            used = np.flatnonzero(counts.total)
            ends = (counts.first + used + 1) * (unit_ms * NS_PER_MS)
            total = counts.total[used]
            found.append(
                EventCounts(
                    {"slo": each.uid, "service_name": each.of_service},
                    -(-ends // (step_ms * NS_PER_MS)),
                    {
                        "slo_events_total": total,
                        "slo_bad_events_total": counts.bad[used],
                        "slo_allowed_bad_events_total": total * each.allowed,
                    },
                )
            )
        return found
