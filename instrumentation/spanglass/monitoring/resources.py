"""What of the host is in use, where that is going, and what to do: ``ResourceMonitor``."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from spanglass.api.analysis.report import Analysis, Finding, Recommendation, Report, worst_first
from spanglass.api.analysis.thresholds import ThresholdManager
from spanglass.api.analysis.trends import trend_of
from spanglass.api.analysis.usage import KINDS, HostUsage
from spanglass.clock import SYSTEM
from spanglass.process.forking import in_child_while_alive
from spanglass_core.alerting.severity import Severity
from spanglass_core.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass.api.analysis.figures import Figures
    from spanglass.api.analysis.thresholds import Bound
    from spanglass.api.analysis.trends import Trend
    from spanglass.clock import Clock

__all__ = ["DEFAULT_THRESHOLDS", "ResourceMonitor", "UsageTracker"]

#: Thresholds until others are set.
DEFAULT_THRESHOLDS: Mapping[str, Mapping[str, Bound]] = {
    "cpu_usage": {"warning": "80%", "critical": "95%"},
    "memory_usage": {"warning": "85%", "critical": "95%"},
    "swap_usage": {"warning": "50%"},
    "disk_usage": {"warning": "80%", "critical": "90%"},
    "network_errors": {"warning": "10/s"},
}
#: Shares that are full at 1: when a rising trend reaches that is said this long before.
_FULL = ("memory_usage", "disk_usage", "swap_usage")
_SOON_S = 7 * 86_400
_SOON_IS_WARNING_S = 86_400
#: Units of figures whose trend is told: shares, and what disks and network carry.
_TRACKED = ("ratio", "bytes/s")
#: A change of a share by less than that, over all that is tracked, is no trend.
_LEAST_CHANGE = 0.01

_ADVICE = {
    "cpu_usage": "Find what computes: profile the busiest process, spread the load over more hosts, or add cores.",
    "memory_usage": "Look at the processes that hold most memory: a leak grows without end, a cache can be bounded.",
    "swap_usage": "Memory is short: processes are slowed down by swapping. Free memory, or give the host more.",
    "disk_usage": "Delete or move what is old (logs, temporary files, images), shorten retention, or enlarge the disk.",
    "network_errors": "Look at cables, switches and drivers of the interface, and at its speed and duplex.",
}


class UsageTracker:
    """Remembers readings of the host, the newest ``most``, for trends. Any thread may call."""

    def __init__(self, *, most: int = 1_000) -> None:
        self._most = most
        self.renew()
        in_child_while_alive(self)

    def renew(self) -> None:
        """Forget all readings."""
        self._lock = threading.Lock()
        self._readings: deque[Figures] = deque(maxlen=self._most)

    def track(self, figures: Figures) -> None:
        """Remember a reading, later than those before."""
        with self._lock:
            self._readings.append(figures)

    def trend(self, name: str, *, limit: float | None = None, least_change: float = 0.0) -> Trend:
        """The trend of a figure over all readings that have it."""
        with self._lock:
            found = [(each.time_ns, each[name]) for each in self._readings if name in each]
        return trend_of(
            [time_ns for time_ns, _ in found], [value for _, value in found], limit=limit, least_change=least_change
        )


class ResourceMonitor:
    """Reads processors, memory, disks and network, and says what is short, what will be, and what to do about it."""

    def __init__(
        self,
        *,
        thresholds: ThresholdManager | None = None,
        usage: HostUsage | None = None,
        tracker: UsageTracker | None = None,
        kinds: tuple[str, ...] = KINDS,
        clock: Clock = SYSTEM,
    ) -> None:
        self.thresholds = thresholds or ThresholdManager(DEFAULT_THRESHOLDS)
        self.tracker = tracker or UsageTracker()
        self._usage = usage or HostUsage(clock)
        self._kinds = kinds

    async def get_metrics(self) -> Figures:
        """Read the host in a thread, and remember the reading. ``ResourceError`` if it tells nothing at all."""
        figures = await asyncio.to_thread(self._usage.read, self._kinds)
        self.tracker.track(figures)
        return figures

    async def monitor_resources(self) -> Report:
        """Measure and analyse: figures, thresholds that are crossed, trends, and what to do.

        Trends need five readings. ``ResourceError`` if the host tells nothing at all.
        """
        return await asyncio.to_thread(self._report, await self.get_metrics())

    def _report(self, metrics: Figures) -> Report:
        trends = {
            name: self._trend(name, metrics.units[name]) for name in metrics if metrics.units.get(name) in _TRACKED
        }
        crossed = self.thresholds.check(metrics)
        filling = [_filling(name, trends[name]) for name in _FULL if name in trends and _is_soon(trends[name])]
        advice = [self._on_crossed(each) for each in crossed]
        known = {each.metric for each in crossed}
        advice += [_on_filling(each) for each in filling if each.metric not in known]
        return Report(
            monitor="resources",
            metrics=metrics,
            analysis=Analysis(worst_first([*crossed, *filling]), {"trends": trends}),
            recommendations=tuple(advice),
        )

    def _trend(self, name: str, unit: str) -> Trend:
        if unit == "ratio":
            return self.tracker.trend(name, limit=1.0, least_change=_LEAST_CHANGE)
        return self.tracker.trend(name)

    def _on_crossed(self, finding: Finding) -> Recommendation:
        evidence: dict[str, Any] = {finding.metric: finding.value, "threshold": finding.threshold}
        if finding.metric in {"memory_usage", "swap_usage"}:
            evidence["largest_processes"] = self._usage.largest_processes()
        return Recommendation(
            title=finding.text,
            action=_ADVICE.get(finding.metric, "Look at what changed when it crossed its threshold."),
            severity=finding.severity,
            evidence=evidence,
        )


def _is_soon(trend: Trend) -> bool:
    return trend.direction == "rising" and trend.reaches_limit_s is not None and trend.reaches_limit_s <= _SOON_S


def _filling(name: str, trend: Trend) -> Finding:
    left_s = trend.reaches_limit_s or 0.0
    shown = format_duration(max(round(left_s / 3600), 1) * 3600 * 10**9)
    severity = Severity.WARNING if left_s <= _SOON_IS_WARNING_S else Severity.INFO
    return Finding(metric=name, text=f"{name} rises and is full in about {shown}", severity=severity, value=left_s)


def _on_filling(finding: Finding) -> Recommendation:
    return Recommendation(
        title=finding.text,
        action=_ADVICE[finding.metric],
        severity=finding.severity,
        evidence={"full_in_s": finding.value},
    )
