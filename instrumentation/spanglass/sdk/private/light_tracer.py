"""The SDK's tracer with light spans: what it decides is the same, with fewer objects in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.context import attach, detach
from opentelemetry.sdk import trace as upstream
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, TraceFlags

from spanglass.sdk.private.features import LIGHT_SPANS, is_there, lose
from spanglass.sdk.private.light_spans import LightAttributes, LightSpan, Prepared

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextvars import Token
    from types import TracebackType

    from opentelemetry.context import Context
    from opentelemetry.trace import Link
    from opentelemetry.util.types import AnyValue

#: By sampled and random: what a span's context says.
_FLAGS = {
    (sampled, random): TraceFlags(sampled * TraceFlags.SAMPLED | random * TraceFlags.RANDOM_TRACE_ID)
    for sampled in (False, True)
    for random in (False, True)
}


class LightTracer(upstream.Tracer):
    """Makes light spans."""

    def start_as_current_span(  # noqa: PLR0917 - the signature of the API
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Mapping[str, AnyValue] | None = None,
        links: Sequence[Link] | None = (),
        start_time: int | None = None,
        record_exception: bool = True,  # noqa: FBT001, FBT002
        set_status_on_exception: bool = True,  # noqa: FBT001, FBT002
        end_on_exit: bool = True,  # noqa: FBT001, FBT002
    ) -> Any:
        """Return a block, or decorator, in which a new span is the current one."""
        begin = name, context, kind, attributes, links, start_time, record_exception, set_status_on_exception
        return _Block(self, begin, end_on_exit)

    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Mapping[str, AnyValue] | None = None,
        links: Sequence[Link] | None = (),
        start_time: int | None = None,
        record_exception: bool = True,  # noqa: FBT001, FBT002 - the signature of the API
        set_status_on_exception: bool = True,  # noqa: FBT001, FBT002
    ) -> Span:
        """Begin a span, as the SDK's tracer does; ``start_time`` is in nanoseconds since 1970."""
        parent: SpanContext | None = trace.get_current_span(context).get_span_context()
        if type(parent) is not SpanContext or not self._is_enabled():
            return super().start_span(
                name, context, kind, attributes, links, start_time, record_exception, set_status_on_exception
            )
        ids = self.id_generator
        if parent.is_valid:
            trace_id, random = parent.trace_id, parent.trace_flags.random_trace_id
        else:
            trace_id, random, parent = ids.generate_trace_id(), ids.is_trace_id_random(), None
        recorded = sampled = True
        state = None if parent is None else parent.trace_state
        keeps = getattr(self.sampler, "keeps", None)
        if keeps is None or not keeps(parent):
            result = self.sampler.should_sample(context, trace_id, name, kind, attributes, links)
            recorded = result.decision is not Decision.DROP
            sampled = result.decision is Decision.RECORD_AND_SAMPLE
            state, attributes = result.trace_state, result.attributes
        own = SpanContext(trace_id, ids.generate_span_id(), False, _FLAGS[sampled, random], state)  # noqa: FBT003 - it is not remote
        if not recorded:
            return NonRecordingSpan(own)
        span = LightSpan(
            self,
            name,
            own,
            parent,
            kind,
            attributes,
            record_exception=record_exception,
            set_status_on_exception=set_status_on_exception,
        )
        if links:
            span.has_links(links)
        span.start(start_time, context)
        return span


class _Block:
    """A span that is current within a block; one block each."""

    __slots__ = ("_begin", "_end", "_span", "_token", "_tracer")

    _span: Span
    _token: Token[Context]

    def __init__(self, tracer: LightTracer, begin: tuple[Any, ...], end: bool) -> None:  # noqa: FBT001 - of the tracer alone
        self._tracer, self._begin, self._end = tracer, begin, end

    def __enter__(self) -> Span:
        self._span = self._tracer.start_span(*self._begin)
        self._token = attach(trace.set_span_in_context(self._span))
        return self._span

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        detach(self._token)
        if error is None:
            if self._end:
                self._span.end()
            return None
        failed: Any = trace.use_span(self._span, self._end, *self._begin[-2:])  # which knows what is an error
        failed.__enter__()
        left: bool | None = failed.__exit__(kind, error, traceback)
        return left

    def __call__(self, function: Callable[..., Any]) -> Any:
        heavy: Any = upstream.Tracer.start_as_current_span  # whose block decorates functions of every kind
        return heavy(self._tracer, *self._begin, self._end)(function)


class LightTracerProvider(upstream.TracerProvider):
    """Gives light tracers, unless the SDK is to measure its own spans, or its spans are not those that we know."""

    def get_tracer(self, *args: Any, **kwargs: Any) -> trace.Tracer:
        """Return the tracer of a scope."""
        tracer = super().get_tracer(*args, **kwargs)
        if type(tracer) is upstream.Tracer and _fits(tracer):
            tracer.__class__ = LightTracer
        return tracer


def _fits(tracer: upstream.Tracer) -> bool:
    """Whether the SDK's spans have what a light one has, and nothing else: looked at once, for the first tracer."""
    global _alike  # noqa: PLW0603 - what the SDK is does not change
    if _alike is False:
        return False
    try:
        if type(tracer._tracer_metrics).__name__ != "NoOpTracerMetrics":  # noqa: SLF001
            return False
        if _alike is None:
            _compare(tracer)
        _alike = True
    except (AttributeError, TypeError) as error:
        lose(LIGHT_SPANS, error)
        _alike = False
    return _alike


_alike: bool | None = None


def _compare(tracer: upstream.Tracer) -> None:
    light = LightSpan(tracer, "", trace.INVALID_SPAN_CONTEXT, None, SpanKind.INTERNAL, None,
                      record_exception=True, set_status_on_exception=True)  # fmt: skip
    heavy = _Heavy("", trace.INVALID_SPAN_CONTEXT, resource=tracer.resource, limits=tracer._span_limits)  # noqa: SLF001
    for ours, theirs in ((light, heavy), (light._attributes, heavy._attributes)):  # noqa: SLF001
        if odd := vars(ours).keys() ^ vars(theirs).keys():
            raise AttributeError(", ".join(sorted(odd)))
    samples = {"tracer": tracer, "span": heavy}
    if gone := [name for name in LIGHT_SPANS.names if not is_there(name, samples)]:
        raise AttributeError(", ".join(gone))


class _Heavy(upstream.Span):
    """A span as the SDK makes them."""


def prepared(tracer: Any, attributes: Mapping[str, AnyValue]) -> Mapping[str, AnyValue]:
    """Return attributes in a form that spans of a tracer take without a look, for those that come again and again."""
    if type(tracer) is not LightTracer:
        return attributes
    return Prepared(LightAttributes(tracer._span_limits, attributes))  # noqa: SLF001
