"""Spanglass on the application's side: ``import spanglass`` costs nothing until something of it is used.

PYTEST_DONT_REWRITE: there are no assertions here, and ``spanglass run pytest`` imports this before pytest can.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from spanglass.api import PLACES as _MANUAL_API
from spanglass.process.locks import ForkGate as _ForkGate

if TYPE_CHECKING:
    from spanglass.api.analysis.figures import Figures
    from spanglass.api.analysis.thresholds import ThresholdManager
    from spanglass.api.collector import MetricsCollector
    from spanglass.api.decorator import trace
    from spanglass.api.health.monitor import (
        HealthMonitor,
        HealthReport,
        HealthResult,
        check_health,
        check_health_now,
        is_healthy,
        issues,
        register_check,
        unregister_check,
    )
    from spanglass.api.messages import debug, error, event, fatal, info, warning
    from spanglass.api.metrics import counter, gauge, histogram, up_down_counter
    from spanglass.api.operations import PerformanceMonitor, operation_statistics, track_operation
    from spanglass.api.spans import SpanHandle, Tracer, current_span, span, start_span
    from spanglass.context import bind, set_session, set_user
    from spanglass.errors import (
        AlertError,
        AnalysisError,
        CollectionError,
        HealthError,
        MetricError,
        MonitorError,
        NotificationError,
        PerformanceError,
        ResourceError,
        TracingError,
    )
    from spanglass.exceptions.telling import capture_exception
    from spanglass.library_metrics.databases.postgres import watch_postgres
    from spanglass.library_metrics.tasks.queues import watch_queue
    from spanglass.monitoring.manager import AlertManager
    from spanglass.monitoring.measurements import Measurement
    from spanglass.monitoring.metric_collector import MetricCollector
    from spanglass.monitoring.resources import ResourceMonitor
    from spanglass.monitoring.rules import AlertRule
    from spanglass.monitoring.system import SystemMonitor
    from spanglass.scrubbing.scrubber import ScrubMatch
    from spanglass.settings.settings import SettingsError
    from spanglass.start.setup import configure, force_flush, shutdown

__all__ = [
    "AlertError",
    "AlertManager",
    "AlertRule",
    "AnalysisError",
    "CollectionError",
    "Figures",
    "HealthError",
    "HealthMonitor",
    "HealthReport",
    "HealthResult",
    "Measurement",
    "MetricCollector",
    "MetricError",
    "MetricsCollector",
    "MonitorError",
    "NotificationError",
    "PerformanceError",
    "PerformanceMonitor",
    "ResourceError",
    "ResourceMonitor",
    "ScrubMatch",
    "SettingsError",
    "SpanHandle",
    "SystemMonitor",
    "ThresholdManager",
    "Tracer",
    "TracingError",
    "bind",
    "capture_exception",
    "check_health",
    "check_health_now",
    "configure",
    "counter",
    "current_span",
    "debug",
    "error",
    "event",
    "fatal",
    "force_flush",
    "gauge",
    "histogram",
    "info",
    "is_healthy",
    "issues",
    "operation_statistics",
    "register_check",
    "set_session",
    "set_user",
    "shutdown",
    "span",
    "start_span",
    "trace",
    "track_operation",
    "unregister_check",
    "up_down_counter",
    "warning",
    "watch_postgres",
    "watch_queue",
]

# Where each name is; imported when it is first asked for, so that the command line stays quick (PEP 562).
_PLACES = _MANUAL_API | {
    "AlertManager": "spanglass.monitoring.manager",
    "AlertRule": "spanglass.monitoring.rules",
    "Measurement": "spanglass.monitoring.measurements",
    "MetricCollector": "spanglass.monitoring.metric_collector",
    "ResourceMonitor": "spanglass.monitoring.resources",
    "ScrubMatch": "spanglass.scrubbing.scrubber",
    "SettingsError": "spanglass.settings.settings",
    "SystemMonitor": "spanglass.monitoring.system",
    "bind": "spanglass.context",
    "capture_exception": "spanglass.exceptions.telling",
    "configure": "spanglass.start.setup",
    "force_flush": "spanglass.start.setup",
    "set_session": "spanglass.context",
    "set_user": "spanglass.context",
    "shutdown": "spanglass.start.setup",
    "watch_postgres": "spanglass.library_metrics.databases.postgres",
    "watch_queue": "spanglass.library_metrics.tasks.queues",
}

_importing = _ForkGate()


def __getattr__(name: str) -> Any:
    """Import what is asked for."""
    if name not in _PLACES:
        raise AttributeError(f"module 'spanglass' has no attribute {name!r}")
    with _importing:
        value = getattr(import_module(_PLACES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, for completion."""
    return sorted({*globals(), *__all__})
