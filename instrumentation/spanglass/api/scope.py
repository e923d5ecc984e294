"""Where the manual API sends to: tracer, meter and logger of scope ``spanglass``, from OpenTelemetry's globals.

They are looked up at each use, for providers come and go: ``configure`` may run after a module that traces was
imported, and ``shutdown`` followed by ``configure`` sets new ones. The look-up is one comparison while nothing has
changed. Where nothing is set the no-op ones serve: the API's proxies would stay with the first provider for ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry import _logs, metrics, trace
from opentelemetry._logs._internal import ProxyLoggerProvider
from opentelemetry.metrics._internal import _ProxyMeterProvider

if TYPE_CHECKING:
    from opentelemetry._logs import Logger
    from opentelemetry.metrics import Meter
    from opentelemetry.trace import Tracer

__all__ = ["SCOPE", "logger", "meter", "tracer"]

#: Name of the instrumentation scope of everything that the application sends through the manual API.
SCOPE = "spanglass"

# Provider and what it gave, in one object: threads see both or neither.
_traces: tuple[Any, Tracer] | None = None
_metrics: tuple[Any, Meter] | None = None
_records: tuple[Any, Logger] | None = None


def tracer() -> Tracer:
    """Give the tracer of the present provider."""
    global _traces  # noqa: PLW0603 - a cache of one, replaced whole
    provider = trace.get_tracer_provider()
    cached = _traces
    if cached is None or cached[0] is not provider:
        unset = isinstance(provider, trace.ProxyTracerProvider)
        cached = _traces = (provider, trace.NoOpTracer() if unset else provider.get_tracer(SCOPE))
    return cached[1]


def meter() -> Meter:
    """Give the meter of the present provider."""
    global _metrics  # noqa: PLW0603 - a cache of one, replaced whole
    provider = metrics.get_meter_provider()
    cached = _metrics
    if cached is None or cached[0] is not provider:
        unset = isinstance(provider, _ProxyMeterProvider)
        cached = _metrics = (provider, metrics.NoOpMeter(SCOPE) if unset else provider.get_meter(SCOPE))
    return cached[1]


def logger() -> Logger:
    """Give the logger of the present provider."""
    global _records  # noqa: PLW0603 - a cache of one, replaced whole
    provider = _logs.get_logger_provider()
    cached = _records
    if cached is None or cached[0] is not provider:
        unset = isinstance(provider, ProxyLoggerProvider)
        cached = _records = (provider, _logs.NoOpLogger(SCOPE) if unset else provider.get_logger(SCOPE))
    return cached[1]
