"""From the transitions of one key to the times that it was pending and firing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spanglass_core.alerting.severity import Severity
from spanglass_core.alerting.states import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_core.alerting.states import Transition
    from spanglass_server.alerting.backtest.courses import Course


@dataclass(slots=True)
class Fire:
    """One time that a key was pending and perhaps fired; a time of 0 is one that has not come.

    ``least`` and ``greatest`` are of its values until it ended; NaN without any.
    """

    pending_ns: int
    fired_ns: int = 0
    ended_ns: int = 0
    severity: Severity = Severity.WARNING
    value: float | None = None
    least: float = np.nan
    greatest: float = np.nan

    def until(self, end_ns: int) -> int:
        """When it ended, or the end of the range."""
        return self.ended_ns or end_ns

    def firing_ns(self, end_ns: int) -> int:
        """How long it fired, up to the end of the range."""
        return self.until(end_ns) - self.fired_ns if self.fired_ns else 0

    def see(self, course: Course) -> None:
        """Take the values of a stretch that fall into it."""
        values = course.between(self.pending_ns, self.ended_ns or int(course.times_ns[-1]))
        values = values[~np.isnan(values)]
        if values.size:
            self.least = float(np.fmin(self.least, values.min()))
            self.greatest = float(np.fmax(self.greatest, values.max()))

    def peak(self, *, below: bool) -> float | None:
        """The worst value: the least one where values below a threshold are bad."""
        worst = self.least if below else self.greatest
        return None if np.isnan(worst) else worst


def take(fires: list[Fire], transitions: Sequence[Transition]) -> None:
    """Add what some transitions say to the times known so far, oldest first."""
    for each in transitions:
        last = fires[-1] if fires and not fires[-1].ended_ns else None
        if each.kind is Kind.PENDING:
            fires.append(Fire(each.time_ns))
        elif each.kind is Kind.FIRED:
            if last is None or last.fired_ns:
                last = Fire(each.time_ns)
                fires.append(last)
            last.fired_ns, last.value = each.time_ns, each.value
            last.severity = each.severity or last.severity
        elif last is not None and each.kind in {Kind.CANCELLED, Kind.RESOLVED}:
            last.ended_ns = each.time_ns
        elif last is not None and each.kind is Kind.RAISED and each.severity:
            last.severity = max(last.severity, each.severity, key=lambda level: level.rank)
