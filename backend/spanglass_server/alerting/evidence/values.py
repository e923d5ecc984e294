"""The value that an alert fired with, its course until then, and since when the condition held."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spanglass_core.alerting.severity import SEVERITIES
from spanglass_server.alerting.evidence.subject import Held
from spanglass_server.promql.series.vectors import Steps
from spanglass_server.times import NS_PER_MS, NS_PER_SECOND

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_core.alerting.rule import Rule
    from spanglass_server.alerting.evidence.answers import ValueShown
    from spanglass_server.alerting.model import Alert, Readings

#: The course has so many points at most, and is at least so long.
_MOST_POINTS = 120
_LEAST_NS = 900 * NS_PER_SECOND
_MOST_NS = 6 * 3_600 * NS_PER_SECOND


@dataclass(frozen=True, slots=True)
class Course:
    """The values of the alert's key up to the fire, as the rule's readings have them; ``row`` is -1 without any."""

    readings: Readings
    row: int

    def held(self, at_ns: int) -> Held:
        """Since when the condition held when it fired: the last ticks of the course that have a level."""
        if self.row < 0:
            return Held(at_ns, at_ns)
        holds = self.readings.levels[self.row] > 0
        broken = np.flatnonzero(~holds)
        first = int(broken[-1]) + 1 if broken.size else 0
        times = self.readings.times_ns
        return Held(int(times[first]) if first < len(times) else at_ns, at_ns)

    def before(self, time_ns: int) -> float | None:
        """The median of the values before a time; None without any."""
        if self.row < 0:
            return None
        values = self.readings.values[self.row][self.readings.times_ns < time_ns]
        values = values[np.isfinite(values)]
        return float(np.median(values)) if values.size else None


def steps_of(rule: Rule, at_ns: int, interval_ns: int) -> Steps:
    """The ticks of a rule before the fire, each or (where these are many) every so many."""
    every_ns = rule.interval_ns or interval_ns
    long_ns = min(max(3 * rule.for_ns, _LEAST_NS), _MOST_NS)
    step_ns = every_ns * max(1, -(-long_ns // (every_ns * _MOST_POINTS)))
    size = long_ns // step_ns + 1
    start_ns = at_ns - (size - 1) * step_ns
    return Steps(start_ns // NS_PER_MS, step_ns // NS_PER_MS, size)


def of_readings(readings: Readings, alert: Alert) -> Course:
    """The alert's row of some readings."""
    return Course(readings, readings.keys.index(alert.key) if alert.key in readings.keys else -1)


def shown(alert: Alert, found: Course) -> ValueShown:
    """The part of evidence."""
    readings, row = found.readings, found.row
    there = row >= 0
    bounds = readings.bounds if there else None
    return {
        "value": alert.value,
        "unit": readings.unit or alert.unit,
        "thresholds": [
            {"severity": SEVERITIES[rank - 1].value, "value": value}
            for rank, value in sorted(readings.thresholds.items())
        ],
        "times_s": (readings.times_ns / NS_PER_SECOND).tolist() if there else [],
        "values": _numbers(readings.values[row]) if there else [],
        "bounds": None if bounds is None else _numbers(np.broadcast_to(bounds, readings.values.shape)[row]),
    }


def _numbers(values: NDArray[np.float64]) -> list[float | None]:
    return [value if np.isfinite(value) else None for value in values.tolist()]
