"""Health checks: ``register_check("database", ping, timeout=2)``, then ``await check_health()``.

Checks run at the same time, each no longer than its timeout. Results are kept, sent as metrics, and logged when they
change. The runner that ``configure`` starts asks them at their intervals, so that the server knows without being told.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import dataclasses
import functools
import math
import threading
from typing import TYPE_CHECKING, Any, TypeVar, overload

from spanglass.api.health.report import (
    CheckReport,
    HealthIssue,
    HealthReport,
    HealthResult,
    export_change,
    export_result,
    not_checked,
    overall,
)
from spanglass.api.health.runs import Check, Clocks, Run, begin_run
from spanglass.clock import NS_PER_S
from spanglass.errors import HealthError
from spanglass.process.forking import in_child_while_alive

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from spanglass.api.analysis.figures import Figures
    from spanglass.api.analysis.usage import HostUsage
    from spanglass.api.config import MonitoringConfig
    from spanglass.api.operations import PerformanceMonitor

    CheckFunction = TypeVar("CheckFunction", bound=Callable[[], Any])

__all__ = [
    "MAX_CHECKS",
    "HealthIssue",
    "HealthMonitor",
    "HealthReport",
    "HealthResult",
    "check_health",
    "check_health_now",
    "default_monitor",
    "is_healthy",
    "issues",
    "register_check",
    "unregister_check",
]

#: Most checks of one monitor, and so most threads.
MAX_CHECKS = 100


class HealthMonitor:
    """Registered checks and their latest results. A forked child keeps the checks, and no results.

    ``config`` is the part ``monitoring`` of a configuration, as a mapping or ``MonitoringConfig``: its ``health`` has
    ``enabled``, ``check_interval`` and ``timeout``. ``performance`` is whose figures ``get_performance_metrics`` gives.
    """

    def __init__(
        self,
        config: MonitoringConfig | Mapping[str, Any] | None = None,
        *,
        clocks: Clocks | None = None,
        performance: PerformanceMonitor | None = None,
    ) -> None:
        self._config = _read(config)
        self._performance = performance
        self.clocks = clocks or Clocks()
        self._timeout_s: float = 10 if self._config is None else self._config.check_timeout_s
        self._interval_s = None if self._config is None else self._config.check_interval_s
        self._checks: dict[str, Check] = {}
        self._loop: asyncio.AbstractEventLoop | None  # where checks were last awaited
        self.on_register: Callable[[], None] | None = None  # wakes the runner
        self.renew()
        in_child_while_alive(self)

    def renew(self) -> None:
        """Forget all results and what is running; checks stay, without the parent's event loop."""
        self._lock = threading.Lock()
        self._runs: dict[str, Run] = {}
        self._latest: dict[str, CheckReport] = {}
        self._checks = {name: dataclasses.replace(check, loop=None) for name, check in self._checks.items()}
        self._loop = None

    @overload
    def register_check(
        self,
        name: str,
        function: CheckFunction,
        /,
        *,
        timeout: float | None = ...,
        critical: bool = ...,
        interval: float | None = ...,
    ) -> CheckFunction: ...

    @overload
    def register_check(
        self, name: str, /, *, timeout: float | None = ..., critical: bool = ..., interval: float | None = ...
    ) -> Callable[[CheckFunction], CheckFunction]: ...

    def register_check(
        self,
        name: str,
        function: Callable[[], Any] | None = None,
        /,
        *,
        timeout: float | None = None,
        critical: bool = True,
        interval: float | None = None,
    ) -> Any:
        """Register a check, or replace the one of this name; also a decorator, ``@register_check("database")``.

        ``function`` takes nothing, is a function or a coroutine function, and says how it is as ``understood``
        describes: nothing or True is well, False or an exception is not. ``timeout`` and ``interval`` are in seconds;
        without them they are the configuration's, else 10 s, and the runner's 30 s. A check that is not ``critical``
        makes the application degraded, never unhealthy. A coroutine that needs the application's event loop is
        registered while that runs.
        Raises ``HealthError`` naming the check.
        """
        if function is None:
            return lambda decorated: self.register_check(
                name, decorated, timeout=timeout, critical=critical, interval=interval
            )
        timeout = self._timeout_s if timeout is None else timeout
        interval = self._interval_s if interval is None else interval
        self._refuse(name, function, timeout=timeout, interval=30 if interval is None else interval)
        check = Check(
            name=name,
            function=function,
            timeout_ns=round(timeout * NS_PER_S),
            critical=critical,
            interval_ns=None if interval is None else round(interval * NS_PER_S),
            loop=_running_loop(),
        )
        with self._lock:
            self._forget(name)
            self._checks[name] = check
        if self.on_register is not None:
            self.on_register()
        return function

    def unregister_check(self, name: str) -> None:
        """Take a check away; nothing happens if there is none of this name."""
        with self._lock:
            self._forget(name)

    async def check_health(self) -> HealthReport:
        """Run all checks at once, and give their report when the last has ended or run out of time."""
        self._loop = asyncio.get_running_loop()
        began_ns = self.clocks.steady_ns()
        runs = [self.begin(check, self._loop) for check in self.checks()]
        for run in runs:
            remaining_s = run.remaining_s(self.clocks.steady_ns())
            if remaining_s and not run.done.done():
                await asyncio.wait({asyncio.wrap_future(run.done)}, timeout=remaining_s)
        return self._report(runs, began_ns)

    def check_health_now(self) -> HealthReport:
        """Do the same, and block until it is done: for threads, scripts and signal handlers, not for event loops."""
        began_ns = self.clocks.steady_ns()
        runs = [self.begin(check, self._usable_loop(check)) for check in self.checks()]
        for run in runs:
            concurrent.futures.wait([run.done], timeout=run.remaining_s(self.clocks.steady_ns()))
        return self._report(runs, began_ns)

    async def get_health_metrics(self) -> Figures:
        """Run all checks, and read what of the host is in use; nothing of it blocks the loop.

        The figures are ``health_status`` (1, 0.5, 0), ``failed_checks``, ``check_<name>``, and ``cpu_usage``,
        ``memory_usage``, ``disk_usage`` and others of the host. None at all where ``health`` is not enabled.
        """
        from spanglass.api.analysis.figures import Figures  # noqa: PLC0415 - few ask for figures
        from spanglass.api.health.figures import figures_of, with_usage  # noqa: PLC0415

        if self._config is not None and not self._config.health_enabled:
            return Figures({}, time_ns=self.clocks.unix_nano())
        return await with_usage(figures_of(await self.check_health(), self.clocks.unix_nano()), self._usage)

    async def get_performance_metrics(self) -> Figures:
        """The figures of operations: ``error_rate``, ``avg_response_time``, ``request_rate`` and others."""
        from spanglass.api.analysis.figures import Figures  # noqa: PLC0415 - few ask for figures
        from spanglass.api.operations import default_monitor as of_process  # noqa: PLC0415

        if self._config is not None and not self._config.performance_enabled:
            return Figures({}, time_ns=self.clocks.unix_nano())
        return (self._performance or of_process).get_metrics()

    @functools.cached_property
    def _usage(self) -> HostUsage:
        from spanglass.api.analysis.usage import HostUsage  # noqa: PLC0415 - few ask for figures

        return HostUsage()

    def is_healthy(self) -> bool:
        """Return whether no critical check failed when it was last run; False while one was never run."""
        return overall(tuple(self._latest_reports())) != "unhealthy"

    def issues(self) -> list[HealthIssue]:
        """Return what each check that is not healthy said when it was last run."""
        return HealthReport(tuple(self._latest_reports()), 0).issues

    def checks(self) -> list[Check]:
        """Return the registered checks, in the order of their registration."""
        with self._lock:
            return list(self._checks.values())

    def begin(self, check: Check, loop: asyncio.AbstractEventLoop | None, *, quiet: bool = False) -> Run:
        """Begin a run of a check, or join the one that goes on: what hangs is not started twice."""
        with self._lock:
            run = self._runs.get(check.name)
            if run is None or run.done.done() or run.check is not check:
                run = self._runs[check.name] = begin_run(check, self.clocks, loop, quiet=quiet)
            return run

    def begin_quietly(self, check: Check) -> Run:
        """Begin a run that nobody asked for."""
        return self.begin(check, self._usable_loop(check), quiet=True)

    def conclude(self, run: Run) -> CheckReport:
        """Return the report of a run, keep it and send it; a run that goes on is out of time."""
        report = run.report(self.clocks)
        with self._lock:
            measure, run.measured = not run.measured, True
            previous = self._latest.get(report.name)
            if self._checks.get(report.name) is run.check:
                self._latest[report.name] = report
        export_result(report, measure=measure)
        export_change(report, previous.status if previous else None)
        return report

    def _report(self, runs: list[Run], began_ns: int) -> HealthReport:
        reports = tuple(self.conclude(run) for run in runs)
        return HealthReport(reports, (self.clocks.steady_ns() - began_ns) / NS_PER_S)

    def _latest_reports(self) -> list[CheckReport]:
        with self._lock:
            return [
                self._latest.get(name) or not_checked(name, critical=check.critical)
                for name, check in self._checks.items()
            ]

    def _usable_loop(self, check: Check) -> asyncio.AbstractEventLoop | None:
        """Return the application's loop if it runs in another thread: in this one it would wait for us."""
        for loop in (self._loop, check.loop):
            if loop is not None and loop.is_running() and loop is not _running_loop():
                return loop
        return None

    def _forget(self, name: str) -> None:
        for kept in (self._checks, self._runs, self._latest):
            kept.pop(name, None)

    def _refuse(self, name: str, function: object, *, timeout: float, interval: float) -> None:
        if not isinstance(name, str) or not name.strip():
            raise HealthError(f"a health check needs a name, and {name!r} is none")
        if not callable(function):
            raise HealthError(f"health check {name!r}: {function!r} is no function to call")
        for option, seconds in (("timeout", timeout), ("interval", interval)):
            if not (isinstance(seconds, int | float) and 0 < seconds < math.inf):
                raise HealthError(f"health check {name!r}: {option} is {seconds!r}, and must be seconds above 0")
        if len(self._checks) >= MAX_CHECKS and name not in self._checks:
            raise HealthError(f"health check {name!r}: there are {MAX_CHECKS} already; check several things in one")


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _read(config: MonitoringConfig | Mapping[str, Any] | None) -> MonitoringConfig | None:
    if config is None:
        return None
    from spanglass.api.config import MonitoringConfig  # noqa: PLC0415 - the default monitor has none

    return MonitoringConfig.of(config)


default_monitor = HealthMonitor()

register_check = default_monitor.register_check
unregister_check = default_monitor.unregister_check
check_health = default_monitor.check_health
check_health_now = default_monitor.check_health_now
is_healthy = default_monitor.is_healthy
issues = default_monitor.issues
