"""Providers for a process in which nobody has set any: they record in blocks of ``capture`` and drop all else.

The API's proxies keep the first real tracer that they meet, for ever. The tracers and loggers here therefore ask anew
at each call, so that a later ``configure`` gets what the application's tracers make.
"""

from __future__ import annotations

import functools
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from opentelemetry import _logs, metrics, trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from spanglass.sdk.private.published import HOLDERS, put, turn_proxy_meters
from spanglass.sdk.published import current, publish
from spanglass.start import setup

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.util.types import Attributes


class PassingTracer(trace.Tracer):
    """Begins spans with the tracer of whatever provider is set at that moment, and else none."""

    def __init__(self, scope: tuple[Any, ...]) -> None:
        self._scope = scope

    def _tracer(self) -> trace.Tracer:
        provider = current()[0]
        if provider is None:
            return trace.NoOpTracer()
        return (provider.sdk if isinstance(provider, StandInTracers) else provider).get_tracer(*self._scope)

    def start_span(self, *args: Any, **options: Any) -> trace.Span:
        """Begin a span."""
        return self._tracer().start_span(*args, **options)

    @contextmanager
    def start_as_current_span(self, *args: Any, **options: Any) -> Iterator[trace.Span]:  # type: ignore[override]
        """Begin a span and make it the current one during the block."""
        with self._tracer().start_as_current_span(*args, **options) as span:
            yield span


class StandInTracers(trace.TracerProvider):
    """Gives tracers that record only while ``sdk`` is rerouted."""

    def __init__(self, resource: Resource) -> None:
        self.sdk = TracerProvider(ALWAYS_OFF, resource, shutdown_on_exit=False)

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes = None,
    ) -> trace.Tracer:
        """Return a tracer of this scope."""
        return PassingTracer((instrumenting_module_name, instrumenting_library_version, schema_url, attributes))


class PassingLogger(_logs.Logger):
    """Emits with the logger of whatever provider is set at that moment, and else nothing."""

    def __init__(self, scope: tuple[Any, ...]) -> None:
        super().__init__(*scope)
        self._scope = scope

    def _logger(self) -> _logs.Logger:
        provider = current()[2]
        if provider is None:
            return _logs.NoOpLogger(self._scope[0])
        return (provider.sdk if isinstance(provider, StandInLoggers) else provider).get_logger(*self._scope)

    def emit(self, *args: Any, **options: Any) -> None:
        """Emit a record."""
        self._logger().emit(*args, **options)

    def enabled(self, **options: Any) -> bool:
        """Return whether a record would go anywhere."""
        return self._logger().enabled(**options)


class StandInLoggers(_logs.LoggerProvider):
    """Gives loggers that record only while ``sdk`` is rerouted."""

    def __init__(self, resource: Resource) -> None:
        self.sdk = LoggerProvider(resource, shutdown_on_exit=False)

    def get_logger(
        self,
        name: str,
        version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes = None,
    ) -> _logs.Logger:
        """Return a logger of this scope."""
        return PassingLogger((name, version, schema_url, attributes))


class StandInMeters(metrics.MeterProvider):
    """Gives meters of ``sdk``, which nobody reads outside of blocks.

    An instrument that is made in a block while nothing is configured measures in blocks only.
    """

    def __init__(self, resource: Resource) -> None:
        self.sdk = MeterProvider(resource=resource, shutdown_on_exit=False)

    def get_meter(
        self,
        name: str,
        version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes = None,
    ) -> metrics.Meter:
        """Return a meter of this scope."""
        return self.sdk.get_meter(name, version, schema_url, attributes)


class StandIns:
    """The three providers, made once a process and set only during blocks."""

    def __init__(self) -> None:
        resource = Resource({"service.name": "test"})
        self.tracers = StandInTracers(resource)
        self.meters = StandInMeters(resource)
        self.loggers = StandInLoggers(resource)

    @property
    def all(self) -> tuple[trace.TracerProvider, metrics.MeterProvider, _logs.LoggerProvider]:
        """For traces, metrics and logs, in this order."""
        return self.tracers, self.meters, self.loggers

    def set(self) -> None:
        """Take the places that nobody has taken; the API's own note of that is left alone."""
        for holder, provider, ours in zip(HOLDERS, current(), self.all, strict=True):
            if provider is None:
                put(holder, ours)
                if ours is self.meters:
                    turn_proxy_meters(self.meters)

    def unset(self) -> None:
        """Leave the places again; a configuration that was made meanwhile takes them."""
        for holder, provider, ours in zip(HOLDERS, current(), self.all, strict=True):
            if provider is ours:
                put(holder, None)
        turn_proxy_meters(None)
        running = setup.running()
        if running is not None:
            publish(running.providers)


@functools.cache
def stand_ins() -> StandIns:
    """Return those of this process."""
    return StandIns()
