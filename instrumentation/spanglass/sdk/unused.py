"""Providers of signals that are switched off: what instrumentations measure and tell ends at once, for 2 us a span.

The SDK's own would still make every span, sum up every measurement and fill every log record, for nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import Decision

from spanglass.sdk.private.spans import agnostic_context_manager

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from opentelemetry.context import Context
    from opentelemetry.util.types import Attributes

    Links = Sequence[trace.Link] | None


class UnrecordedTracerProvider(TracerProvider):
    """Makes no spans, and leaves traces whole: services further down do what they did if this one recorded.

    What was called by a trace goes on in it, below the caller's span. What begins here gets ids of its own, which log
    records of one request have in common, and the sampler decides whether others record it.
    """

    def get_tracer(
        self,
        instrumenting_module_name: str,  # noqa: ARG002 - the SDK's signature
        instrumenting_library_version: str | None = None,  # noqa: ARG002
        schema_url: str | None = None,  # noqa: ARG002
        attributes: Attributes = None,  # noqa: ARG002
    ) -> trace.Tracer:
        """Return the tracer, the same for everybody."""
        return _Unrecorded(self)


class _Unrecorded(trace.Tracer):
    def __init__(self, provider: TracerProvider) -> None:
        self._ids, self._sampler = provider.id_generator, provider.sampler

    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: trace.SpanKind = trace.SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Links = None,
        start_time: int | None = None,  # noqa: ARG002 - the API's signature
        record_exception: bool = True,  # noqa: ARG002, FBT001, FBT002
        set_status_on_exception: bool = True,  # noqa: ARG002, FBT001, FBT002
    ) -> trace.Span:
        """Return a span that only has a context: the caller's, or that of a new trace."""
        parent = trace.get_current_span(context).get_span_context()
        if parent.is_valid:
            return trace.NonRecordingSpan(parent)
        trace_id = self._ids.generate_trace_id()
        decided = self._sampler.should_sample(context, trace_id, name, kind, attributes, links)
        recorded = decided.decision is Decision.RECORD_AND_SAMPLE
        flags = trace.TraceFlags.SAMPLED if recorded else trace.TraceFlags.DEFAULT
        begun = trace.SpanContext(
            trace_id,
            self._ids.generate_span_id(),
            is_remote=False,
            trace_flags=trace.TraceFlags(flags),
            trace_state=decided.trace_state,
        )
        return trace.NonRecordingSpan(begun)

    @agnostic_context_manager  # type: ignore[untyped-decorator]
    def start_as_current_span(  # noqa: PLR0917 - the API's signature
        self,
        name: str,
        context: Context | None = None,
        kind: trace.SpanKind = trace.SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Links = None,
        start_time: int | None = None,  # noqa: ARG002 - the API's signature
        record_exception: bool = True,  # noqa: ARG002, FBT001, FBT002
        set_status_on_exception: bool = True,  # noqa: ARG002, FBT001, FBT002
        end_on_exit: bool = True,  # noqa: ARG002, FBT001, FBT002
    ) -> Iterator[trace.Span]:
        """Have that span's context be the current one."""
        with trace.use_span(self.start_span(name, context, kind, attributes, links)) as span:
            yield span
