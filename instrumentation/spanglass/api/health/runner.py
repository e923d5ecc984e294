"""The background runner of health checks: one daemon thread that starts what is due, and waits for nothing else."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from spanglass.api.health.monitor import default_monitor
from spanglass.clock import NS_PER_S
from spanglass.guard import guarded
from spanglass.process.forking import in_child_while_alive

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass.api.health.monitor import HealthMonitor
    from spanglass.api.health.runs import Check, Run

__all__ = ["DEFAULT_INTERVAL_NS", "FIRST_AFTER_NS", "HealthRunner", "start_health_runner"]

DEFAULT_INTERVAL_NS = 30_000_000_000
#: How long after its registration, or after a fork, a check is first run at the latest. Applications register checks
#: before what they check is connected; and a child must not start to work while its other parts are being renewed.
FIRST_AFTER_NS = 10_000_000_000


class HealthRunner:
    """Runs a monitor's checks at their intervals. The thread begins with the first check, and again in a child."""

    _due_ns: dict[Check, int]
    _running: dict[Check, Run]

    def __init__(self, monitor: HealthMonitor, interval_ns: int) -> None:
        self._monitor = monitor
        self._interval_ns = interval_ns
        self._stopped = True
        self._thread: threading.Thread | None = None
        self._reset()

    def start(self) -> None:
        """Begin, now or when the first check is registered."""
        self._stopped = False
        self._monitor.on_register = self._registered
        in_child_while_alive(self)
        if self._monitor.checks():
            self._registered()

    def stop(self) -> None:
        """Start no more checks; what is running ends by itself."""
        self._stopped = True
        if self._monitor.on_register == self._registered:  # another runner may have taken over
            self._monitor.on_register = None
        self._wake.set()

    def renew(self) -> None:
        """Begin again in a forked child, where the thread does not exist."""
        had_thread = self._thread is not None
        self._thread = None
        self._reset()
        if had_thread and not self._stopped:
            self._registered()

    def step(self) -> float | None:
        """Start what is due and take in what has ended; gives the seconds until there is more, None for never."""
        now_ns = self._monitor.clocks.steady_ns()
        checks = self._monitor.checks()
        self._due_ns = {check: self._due(check, now_ns) for check in checks}
        for check in checks:
            if self._due_ns[check] <= now_ns and check not in self._running:
                self._due_ns[check] = now_ns + self._interval_of(check)
                self._begin(check)
        for check, run in list(self._running.items()):
            if run.over(now_ns):
                del self._running[check]
                self._monitor.conclude(run)
        waiting = [due_ns - now_ns for check, due_ns in self._due_ns.items() if check not in self._running]
        ends = [run.remaining_s(now_ns) for run in self._running.values()]
        return min([*ends, *(wait_ns / NS_PER_S for wait_ns in waiting)], default=None)

    def _due(self, check: Check, now_ns: int) -> int:
        return self._due_ns.get(check, now_ns + min(self._interval_of(check), FIRST_AFTER_NS))

    def _interval_of(self, check: Check) -> int:
        return check.interval_ns or self._interval_ns

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._due_ns = {}
        self._running = {}

    def _begin(self, check: Check) -> None:
        run = self._monitor.begin_quietly(check)
        self._running[check] = run
        run.done.add_done_callback(lambda _: self._wake.set())

    def _registered(self) -> None:
        with self._lock, suppress(RuntimeError):  # no more threads: the next check that is registered tries again
            if self._thread is None and not self._stopped:
                thread = threading.Thread(target=self._loop, name="spanglass-health", daemon=True)
                thread.start()
                self._thread = thread
        self._wake.set()

    def _loop(self) -> None:
        while not self._stopped:
            self._wake.clear()
            wait_s: float | None = self._interval_ns / NS_PER_S
            with guarded("run health checks"):
                wait_s = self.step()
            self._wake.wait(wait_s)


def start_health_runner(
    interval_ns: int = DEFAULT_INTERVAL_NS, *, monitor: HealthMonitor = default_monitor
) -> Callable[[], None]:
    """Run the checks every ``interval_ns`` unless they say otherwise; returns what stops that."""
    runner = HealthRunner(monitor, interval_ns)
    runner.start()
    return runner.stop
