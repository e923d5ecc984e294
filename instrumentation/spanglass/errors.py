"""What the manual API raises: only for definitions that can never be valid; calls at run time never raise.

    MonitorError            base: one ``except`` for all of them
    ├── TracingError        a decorator names what the function does not have
    ├── CollectionError     taking measurements
    │   └── MetricError     a metric's name, unit or buckets are wrong, or differ from its first definition
    ├── PerformanceError    an operation or a monitor cannot be measured as asked
    └── HealthError         a health check cannot be registered as asked

What goes wrong while the application runs, such as a value that is no number, is logged once and counted: see
``spanglass.guard``. Wrong settings are ``SettingsError``, of ``spanglass.settings.settings``.
"""

from __future__ import annotations

__all__ = ["CollectionError", "HealthError", "MetricError", "MonitorError", "PerformanceError", "TracingError"]


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
