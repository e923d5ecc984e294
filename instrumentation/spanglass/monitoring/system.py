"""All monitors of an application together: collect, analyse, alert, report. ``SystemMonitor``."""

from __future__ import annotations

import asyncio
import functools
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from spanglass.api.analysis.figures import Figures, numbers_of
from spanglass.api.analysis.report import Analysis, Report
from spanglass.api.config import MonitoringConfig
from spanglass.clock import SYSTEM
from spanglass.errors import AnalysisError, CollectionError, MonitorError
from spanglass.monitoring.manager import AlertManager
from spanglass.monitoring.routing import call, function_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from spanglass.api.analysis.report import Recommendation
    from spanglass.clock import Clock
    from spanglass.monitoring.alerts import Alert, Processed

    Collect = Callable[[], Any]
    Analyse = Callable[[Figures], Any]

__all__ = ["SystemMonitor", "SystemReport"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemReport:
    """What one round found: a report of each monitor, and the alerts that were raised or ended.

    ``errors`` are texts of what could not be collected or analysed, by monitor; they are in the way of no other.
    """

    time_ns: int
    reports: Mapping[str, Report]
    processed: tuple[Processed, ...] = ()
    errors: Mapping[str, MonitorError] = field(default_factory=dict)
    active: tuple[Alert, ...] = ()

    @property
    def status(self) -> str:
        """``healthy``, or the worst severity of findings and active alerts; ``unknown`` if nothing was measured."""
        found = [each.analysis.severity for each in self.reports.values()] + [each.severity for each in self.active]
        known = [each for each in found if each is not None]
        if known:
            return max(known, key=lambda each: each.rank).value
        return "healthy" if self.reports or not self.errors else "unknown"

    @property
    def recommendations(self) -> tuple[Recommendation, ...]:
        """Those of all monitors, the most severe first."""
        found = [each for report in self.reports.values() for each in report.recommendations]
        return tuple(sorted(found, key=lambda each: -each.severity.rank))

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON has it."""
        return {
            "time_unix_nano": self.time_ns,
            "status": self.status,
            "reports": {name: each.as_dict() for name, each in self.reports.items()},
            "alerts": [each.as_dict() for each in self.active],
            "errors": {name: str(error) for name, error in self.errors.items()},
        }


class SystemMonitor:
    """Runs monitors, each a collector of figures with a strategy that analyses them, and checks the figures for alerts.

    ``health``, ``performance`` and ``resources`` are there from the start, as far as ``config`` has them enabled.
    """

    def __init__(
        self,
        config: MonitoringConfig | Mapping[str, Any] | None = None,
        *,
        alerts: AlertManager | None = None,
        clock: Clock = SYSTEM,
        with_usual: bool = True,
    ) -> None:
        self._config = MonitoringConfig.of(config)
        self._clock = clock
        self.alerts = alerts or AlertManager(self._config, clock=clock)
        self._monitors: dict[str, tuple[Collect, Analyse]] = {}
        if with_usual:
            self._register_usual()

    def register(self, monitor_type: str, collector: Any, strategy: Any = None) -> None:
        """Add a monitor, or replace the one of its type.

        ``collector`` gives numbers by name, ``Figures``, or a whole ``Report``. ``strategy`` is given the figures, and
        gives an ``Analysis``, a ``Report``, or a list of findings; without one nothing but alert rules looks at them.
        Each is a function or coroutine function, an object with a method (``collect``; ``analyze`` or ``analyse``), or
        a class of such objects. Functions run in threads. ``AnalysisError`` for what can't be called.
        """
        collect, analyse = function_of(collector, "collect"), function_of(strategy or _nothing, "analyze", "analyse")
        if collect is None or analyse is None:
            what = f"collector {collector!r}" if collect is None else f"strategy {strategy!r}"
            raise AnalysisError(f"monitor {monitor_type!r}: {what} is nothing to call")
        self._monitors[monitor_type] = collect, analyse

    def unregister(self, monitor_type: str) -> None:
        """Take a monitor away; nothing happens if there is none of this type."""
        self._monitors.pop(monitor_type, None)

    def monitor_types(self) -> tuple[str, ...]:
        """The types that are monitored, in their order."""
        return tuple(self._monitors)

    async def monitor_system(self, *monitor_types: str) -> SystemReport:
        """Collect and analyse with some monitors, or all at once, check the alert rules, tell of alerts, and report.

        ``MonitorError`` for a type that there is not.
        """
        unknown = [each for each in monitor_types if each not in self._monitors]
        if unknown:
            raise MonitorError(f"there is no monitor {unknown[0]!r}: there are {', '.join(self._monitors)}")
        names = monitor_types or tuple(self._monitors)
        errors: dict[str, MonitorError] = {}
        found = await asyncio.gather(*(self._monitored(name, errors) for name in names))
        reports = {name: report for name, report in zip(names, found, strict=True) if report is not None}
        together = functools.reduce(Figures.with_more, (each.metrics for each in reports.values()), Figures({}))
        self.alerts.check_metrics(replace(together, time_ns=self._clock.unix_ns()))
        processed = await self.alerts.process_waiting()
        return SystemReport(
            time_ns=self._clock.unix_ns(),
            reports=reports,
            processed=tuple(processed),
            errors=errors,
            active=tuple(self.alerts.active_alerts()),
        )

    async def _monitored(self, name: str, errors: dict[str, MonitorError]) -> Report | None:
        collect, analyse = self._monitors[name]
        try:
            collected = await call(collect)
            report = collected if isinstance(collected, Report) else self._report(name, collected)
        except Exception as cause:  # noqa: BLE001 - whatever a collector raises
            errors[name] = _wrapped(CollectionError, name, "collect", cause)
            return None
        try:
            return _analysed(report, await call(analyse, report.metrics))
        except Exception as cause:  # noqa: BLE001 - whatever a strategy raises
            errors[name] = _wrapped(AnalysisError, name, "analyse", cause)
            return replace(report, errors=(*report.errors, str(errors[name])))

    def _report(self, name: str, collected: Any) -> Report:
        if isinstance(collected, Figures):
            return Report(monitor=name, metrics=collected)
        numbers = {each: float("nan") if value is None else value for each, value in numbers_of(collected).items()}
        return Report(monitor=name, metrics=Figures(numbers, time_ns=self._clock.unix_ns()))

    def _register_usual(self) -> None:
        from spanglass.api.health.monitor import default_monitor as health  # noqa: PLC0415 - not where others are given
        from spanglass.api.operations import default_monitor as performance  # noqa: PLC0415
        from spanglass.monitoring.findings import of_health  # noqa: PLC0415
        from spanglass.monitoring.resources import ResourceMonitor  # noqa: PLC0415

        if self._config.health_enabled:
            self.register("health", health.get_health_metrics, of_health)
        if self._config.performance_enabled:
            self.register("performance", performance.monitor_performance)
        if self._config.metrics_enabled:
            self.register("resources", ResourceMonitor(clock=self._clock).monitor_resources)


def _nothing(_figures: Figures) -> None:
    """A strategy that finds nothing."""


def _analysed(report: Report, found: Any) -> Report:
    """A report with what a strategy found in its figures."""
    if found is None:
        return report
    if isinstance(found, Report):
        return found
    analysis = found if isinstance(found, Analysis) else Analysis(tuple(found))
    mine = report.analysis
    both = Analysis((*mine.findings, *analysis.findings), {**mine.details, **analysis.details})
    return replace(report, analysis=both)


def _wrapped(kind: type[MonitorError], name: str, doing: str, cause: Exception) -> MonitorError:
    if isinstance(cause, MonitorError):
        return cause
    error = kind(f"monitor {name!r} could not {doing}: {type(cause).__name__}: {cause}")
    error.__cause__ = cause
    return error
