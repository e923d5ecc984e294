"""Queries as the spans of databases' clients tell of them, for ``PerformanceMonitor.watch_queries``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor

from spanglass.clock import NS_PER_S
from spanglass.errors import PerformanceError
from spanglass.guard import guarded

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan, Span

    from spanglass.api.analysis.queries import QueryLog

# New name, then the one before 1.23.
_SYSTEM = ("db.system.name", "db.system")
_TEXT = ("db.query.text", "db.statement")
#: Calls under way whose parent's name is remembered.
_MOST_UNDER_WAY = 10_000


class QuerySpans(SpanProcessor):
    """Records the calls of databases in a log; of those inside another database call only the outer one."""

    def __init__(self, log: QueryLog) -> None:
        self._log = log
        self._parents: dict[int, tuple[str, bool]] = {}
        self.is_watching = True

    def end(self) -> None:
        """Record no more: a processor can't be taken from its provider."""
        self.is_watching = False
        self._parents.clear()

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Remember the name of what makes the call."""
        if self.is_watching and span.kind is trace.SpanKind.CLIENT:
            if len(self._parents) >= _MOST_UNDER_WAY:  # the oldest never ended
                self._parents.pop(next(iter(self._parents), 0), None)
            parent = trace.get_current_span(parent_context)
            name = str(getattr(parent, "name", ""))
            self._parents[span.context.span_id] = name, _first(getattr(parent, "attributes", None), _SYSTEM) != ""

    def on_end(self, span: ReadableSpan) -> None:
        """Record a call that has ended."""
        if span.kind is not trace.SpanKind.CLIENT or span.context is None:
            return
        operation, is_inner = self._parents.pop(span.context.span_id, ("", False))
        if not self.is_watching or is_inner:
            return
        with guarded("record a query"):
            text = _first(span.attributes, _TEXT)
            if text and _first(span.attributes, _SYSTEM):
                duration_s = ((span.end_time or 0) - (span.start_time or 0)) / NS_PER_S
                run = (span.context.trace_id, span.parent.span_id) if span.parent is not None else None
                self._log.record(text, max(duration_s, 0.0), operation=operation, run=run)


def watch(log: QueryLog) -> QuerySpans:
    """Record the queries of all spans that begin from now on; ``PerformanceError`` if there is nothing to watch."""
    provider = trace.get_tracer_provider()
    add = getattr(provider, "add_span_processor", None)
    if add is None:
        raise PerformanceError("queries are seen in spans, and there are none yet: call spanglass.configure() first")
    processor = QuerySpans(log)
    add(processor)
    return processor


def _first(attributes: object, names: tuple[str, ...]) -> str:
    get = getattr(attributes, "get", None)
    return next((str(value) for name in names if get is not None and (value := get(name))), "")
