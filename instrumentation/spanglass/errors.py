"""What the manual API raises: only for definitions that can never be valid; calls at run time never raise.

    MonitorError            base: one ``except`` for all of them
    ├── TracingError        a decorator names what the function does not have
    ├── CollectionError     taking measurements
    │   └── MetricError     a metric's name, unit or buckets are wrong, or differ from its first definition
    ├── PerformanceError    an operation or a monitor cannot be measured as asked
    ├── HealthError         a health check cannot be registered as asked
    ├── ResourceError       resources cannot be measured at all
    ├── AlertError          a rule, a handler or a change of an alert is wrong
    ├── NotificationError   an alert did not get through to a handler, a channel or the server
    └── AnalysisError       figures cannot be analysed as asked

What goes wrong while the application runs, such as a value that is no number, is logged once and counted: see
``spanglass.guard``. Wrong settings are ``SettingsError``, of ``spanglass.settings.settings``.
"""

from __future__ import annotations

__all__ = [
    "AlertError",
    "AnalysisError",
    "CollectionError",
    "HealthError",
    "MetricError",
    "MonitorError",
    "NotificationError",
    "PerformanceError",
    "ResourceError",
    "TracingError",
]


class MonitorError(Exception):
    """The base of all errors that the manual API raises."""


class TracingError(MonitorError):
    """A span, or a function that shall be traced, is defined wrongly."""


class CollectionError(MonitorError):
    """Measurements cannot be taken as asked."""


class MetricError(CollectionError):
    """A metric is defined wrongly, or otherwise than before; the message names the metric."""


class PerformanceError(MonitorError):
    """An operation, or the monitor of operations, is defined wrongly."""


class HealthError(MonitorError):
    """A health check is defined wrongly; the message names the check."""


class ResourceError(MonitorError):
    """Resources of the host cannot be measured; the message says why."""


class AlertError(MonitorError):
    """An alert rule is wrong, or an alert can't be changed so; the message names it and says what to do.

    ``column`` is where in a rule's condition the mistake stands, from 1; 0 if it is not in the condition.
    """

    def __init__(self, message: str, column: int = 0) -> None:
        super().__init__(message)
        self.column = column


class NotificationError(MonitorError):
    """An alert did not get through; the message names whom it was for."""


class AnalysisError(MonitorError):
    """Figures cannot be analysed: a strategy that failed, or that is none; the message names the monitor."""
