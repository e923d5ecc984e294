"""FastAPI's own export and Sentry's OTLP integration beside us: nothing is sent twice, or unscrubbed, or untraced.

Both add an exporter to the process's tracer provider, which is ours, when the application starts. FastAPI's sends to
the same address as we do, so it is left out. Sentry's sends elsewhere, so it gets what we send: scrubbed. It also puts
a propagator of its own in the place of the process's, so that ``traceparent`` would be neither read nor sent.
"""

from __future__ import annotations

import logging
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.propagate import get_global_textmap, set_global_textmap
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from spanglass.patching.imports import when_imported
from spanglass.patching.patches import Replacement, replace
from spanglass.scrubbing.exporters import ScrubbingSpanExporter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType

    from opentelemetry.propagators.textmap import TextMapPropagator
    from opentelemetry.sdk.trace import ReadableSpan

    from spanglass.scrubbing.scrubber import Scrubber
    from spanglass.settings.settings import Settings

_FASTAPI = "fastapi.telemetry._runtime"
_FASTAPI_EXPORT = "_configure_from_environment"
_SENTRY = "sentry_sdk.integrations.otlp"

_LEFT_OUT = (
    "FastAPI's auto_configure is left out: it would send everything a second time, unscrubbed; unset "
    "FASTAPI_OTEL_AUTO_CONFIGURE, or pass FastAPI(telemetry={'auto_configure': False})"
)
_TWICE = (
    "the exporter of Sentry's OTLP integration is left out: its collector_url is where Spanglass sends; pass "
    "OTLPIntegration(setup_otlp_traces_exporter=False)"
)
_TOO_EARLY = (
    "Sentry's OTLP integration was set up before Spanglass, and sends spans unscrubbed; call spanglass.configure() "
    "before sentry_sdk.init(), or pass OTLPIntegration(setup_otlp_traces_exporter=False)"
)

_logger = logging.getLogger("spanglass")


def install_beside(settings: Settings, scrubber: Scrubber | None) -> Callable[[], None]:
    """Watch for both; returns what takes that back."""
    undo = ExitStack()
    undo.callback(when_imported(_FASTAPI, lambda module: _leave_out(module, undo), doing="keep FastAPI from exporting"))
    sentry = _Sentry(settings, scrubber, undo)
    undo.callback(when_imported(_SENTRY, sentry.imported, doing="go along with Sentry's OTLP integration"))
    return undo.close


def _leave_out(module: ModuleType, undo: ExitStack) -> None:
    if not hasattr(module, _FASTAPI_EXPORT):  # a later release, which tests notice
        return

    def make(replaced: Replacement) -> Callable[..., None]:
        def configure_from_environment(config: Any) -> None:
            if not replaced.active:
                replaced.original(config)
            elif config.get("auto_configure"):
                _logger.warning("%s", _LEFT_OUT)

        return configure_from_environment

    undo.callback(replace(module, _FASTAPI_EXPORT, make))


class _Sentry:
    """Sentry's integration, which looks its exporter and the setting of propagators up by name."""

    def __init__(self, settings: Settings, scrubber: Scrubber | None, undo: ExitStack) -> None:
        self._settings, self._scrubber, self._undo = settings, scrubber, undo

    def imported(self, module: ModuleType) -> None:
        """Go along with it: from its import on, or as it is set up already."""
        self._undo.callback(replace(module, "OTLPSpanExporter", self._exporter))
        self._undo.callback(replace(module, "set_global_textmap", self._set_textmap))
        current = get_global_textmap()
        if type(current).__module__.startswith("sentry_sdk."):
            self._keep_traceparent(
                current, CompositePropagator([TraceContextTextMapPropagator(), W3CBaggagePropagator()])
            )
        client = sys.modules["sentry_sdk"].get_client()
        integration = client.get_integration("otlp") if client.is_active() else None
        if getattr(integration, "setup_otlp_traces_exporter", False) and self._scrubber is not None:
            _logger.warning("%s", _TOO_EARLY)

    def _exporter(self, replaced: Replacement) -> Callable[..., SpanExporter]:
        def make(*args: Any, **kwargs: Any) -> SpanExporter:
            made: SpanExporter = replaced.original(*args, **kwargs)
            if not replaced.active:
                return made
            if self._is_ours(kwargs.get("endpoint")):
                _logger.warning("%s", _TWICE)
                return _Nothing()
            return made if self._scrubber is None else ScrubbingSpanExporter(made, self._scrubber)

        return make

    def _is_ours(self, endpoint: str | None) -> bool:
        return endpoint is not None and urlsplit(endpoint).netloc == urlsplit(self._settings.endpoint).netloc

    def _set_textmap(self, replaced: Replacement) -> Callable[[TextMapPropagator], None]:
        def set_textmap(propagator: TextMapPropagator) -> None:
            if replaced.active:
                self._keep_traceparent(propagator, get_global_textmap())
            else:
                replaced.original(propagator)

        return set_textmap

    def _keep_traceparent(self, theirs: TextMapPropagator, ours: TextMapPropagator) -> None:
        """Set both; the last one to read decides the trace."""
        both = CompositePropagator([theirs, ours])
        set_global_textmap(both)

        def restore() -> None:
            if get_global_textmap() is both:
                set_global_textmap(theirs)

        self._undo.callback(restore)


class _Nothing(SpanExporter):
    """Exports nothing."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Take the spans."""
        del spans
        return SpanExportResult.SUCCESS
