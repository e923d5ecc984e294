"""A forked child begins anew: no lock of the parent's, no counts of the parent's, checks that run by themselves."""

from __future__ import annotations

import os
import threading
import traceback

import pytest

from spanglass.api import metrics
from spanglass.api.collector import MetricsCollector
from spanglass.api.health.monitor import HealthMonitor
from spanglass.api.health.runner import start_health_runner
from spanglass.api.operations import PerformanceMonitor

# Python 3.12 warns of forking with threads, which is what these tests are about
pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


def in_child(check):
    """Run ``check`` in a forked child; the parent fails if it raised."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            check()
            code = 0
        except BaseException:  # noqa: BLE001 - the child says why, and must never come back into pytest
            traceback.print_exc()
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_counts_begin_at_zero_and_locks_are_free():
    """Whatever the parent held and counted when it forked, the child measures at once, from zero."""
    collector, monitor, health = MetricsCollector(), PerformanceMonitor(), HealthMonitor()
    collector.record_counter("orders", 5)
    monitor.track_operation("query").complete()
    health.register_check("a", lambda: None)
    health.check_health_now()

    def child():
        assert collector.get_metrics() == {}
        assert monitor.get_statistics().count == 0
        assert not health.is_healthy()
        collector.record_counter("orders")
        monitor.track_operation("query").complete()
        metrics.counter("new").add()
        assert collector.get_metrics()["orders"].value == 1
        assert monitor.get_statistics().count == 1
        assert health.check_health_now().status == "healthy"

    with collector._lock, monitor._lock, health._lock, metrics._registry._lock:
        in_child(child)

    assert collector.get_metrics()["orders"].value == 5
    assert monitor.get_statistics().count == 1


def test_the_runner_begins_again():
    """Where the parent's runner had a thread the child gets one of its own."""
    health, ran = HealthMonitor(), threading.Event()
    stop = start_health_runner(10_000_000, monitor=health)
    health.register_check("a", ran.set)
    assert ran.wait(60)

    def child():
        ran.clear()
        assert ran.wait(60)

    in_child(child)
    stop()


def test_a_stopped_runner_stays_stopped():
    """A runner that was stopped before the fork has no thread in the child."""
    health = HealthMonitor()
    stop = start_health_runner(monitor=health)
    health.register_check("a", lambda: None)
    stop()

    def child():
        assert "spanglass-health" not in {thread.name for thread in threading.enumerate()}

    in_child(child)
