"""What a span can be linked to, or be the child of: another span, its context, or its ``traceparent`` as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from spanglass.guard import report

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Protocol

    class HasSpan(Protocol):
        """A handle."""

        @property
        def otel(self) -> trace.Span:
            """OpenTelemetry's span."""

    Linkable: TypeAlias = HasSpan | trace.Span | trace.SpanContext | str

__all__ = ["context_of", "links_to", "span_of", "traceparent_of"]

_propagator = TraceContextTextMapPropagator()


def span_of(other: Linkable) -> trace.Span:
    """Return the span of what was named: for a context one that stands for it, for anything else an invalid one."""
    if isinstance(other, trace.SpanContext):
        return trace.NonRecordingSpan(other)
    if isinstance(other, str):
        return trace.get_current_span(_propagator.extract({"traceparent": other}, context=Context()))
    span = other if isinstance(other, trace.Span) else getattr(other, "otel", None)
    if isinstance(span, trace.Span):
        return span
    report("link a span", TypeError(f"{type(other).__qualname__} is no span: link to a span, or to its traceparent"))
    return trace.INVALID_SPAN


def context_of(other: Linkable) -> trace.SpanContext:
    """Return the context of what was named; an invalid one if it is none."""
    return span_of(other).get_span_context()


def links_to(others: Iterable[Linkable]) -> list[trace.Link]:
    """Return a link to each that is valid."""
    return [trace.Link(context) for context in map(context_of, others) if context.is_valid]


def traceparent_of(span: trace.Span) -> str:
    """Return the W3C text that another process continues or links with; "" where nothing is traced."""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier, trace.set_span_in_context(span))
    return carrier.get("traceparent", "")
