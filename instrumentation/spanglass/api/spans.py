"""Spans by hand: ``with span("charge", amount=3.5) as charge: ...``."""

from __future__ import annotations

from traceback import format_exception
from typing import TYPE_CHECKING, Literal, Self, overload

from opentelemetry import context as context_api
from opentelemetry import trace

from spanglass.api import scope
from spanglass.api.linking import context_of, links_to, span_of, traceparent_of
from spanglass.exceptions.expected import is_failure
from spanglass.guard import report, swallow
from spanglass.values import MAX_NAME, attribute_value, attributes_of, failure_text, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from contextvars import Token
    from types import TracebackType

    from opentelemetry.context import Context
    from opentelemetry.util.types import AnyValue

    from spanglass.api.linking import Linkable

    Kind = trace.SpanKind | Literal["internal", "server", "client", "producer", "consumer"]

__all__ = ["SpanHandle", "Tracer", "begin", "current_span", "leave", "qualified_name", "span", "start_span"]

_KINDS: dict[str, trace.SpanKind] = {kind.name.lower(): kind for kind in trace.SpanKind}


class SpanHandle:
    """A span that was started: ``with`` makes it current and ends it; without ``with`` call ``end``.

    An exception that leaves the block is recorded, sets the span's status to error, and goes on. A cancelled task, a
    closed generator, Ctrl-C and ``exit(0)`` are no errors. Nothing here raises, and nothing happens after the end.
    """

    __slots__ = ("_before", "_failed", "_name", "_record_exceptions", "_token", "otel")

    otel: trace.Span
    """OpenTelemetry's span."""

    def __init__(self, otel: trace.Span, name: str = "", *, record_exceptions: bool = True) -> None:
        self.otel = otel
        self._name = name
        self._record_exceptions = record_exceptions
        self._failed = False
        self._token: Token[Context] | None = None
        self._before: Context | None = None

    def __enter__(self) -> Self:
        self._before = before = context_api.get_current()
        self._token = context_api.attach(trace.set_span_in_context(self.otel, before))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        token, self._token = self._token, None
        if token is not None and self._before is not None:
            leave(token, self._before, self.otel)
        if error is not None:
            self.left_by(error)
        self.end()

    def left_by(self, error: BaseException) -> None:
        """Record an exception that leaves the span, unless it is no failure."""
        if is_failure(error):
            self.record(error)

    @overload
    def set(self, key: str, value: object, /) -> None: ...

    @overload
    def set(self, attributes: Mapping[str, object] = ..., /, **more: object) -> None: ...

    def set(self, key: str | Mapping[str, object] | None = None, value: object = None, /, **more: object) -> None:
        """Set attributes: ``set(a=3)``, ``set("http.route", "/")``, ``set({"http.route": "/"})``. None sets none."""
        if not self.otel.is_recording():
            return
        if isinstance(key, str):
            made = attribute_value(value)
            if made is not None and key:
                self.otel.set_attribute(text_of(key), made)
            return
        attributes = attributes_of(key, more)
        if attributes:
            self.otel.set_attributes(attributes)

    def set_attribute(self, key: str, value: object) -> None:
        """Set one attribute, under OpenTelemetry's name for it."""
        self.set(key, value)

    def event(self, name: str, /, attributes: Mapping[str, object] | None = None, **more: object) -> None:
        """Add an event, a moment within the span, with attributes of its own."""
        if self.otel.is_recording():
            self.otel.add_event(text_of(name, MAX_NAME), attributes_of(attributes, more))

    def link(self, other: Linkable, /, **attributes: object) -> None:
        """Link to a span that caused this one and is not its parent: a span, its context, or its ``traceparent``."""
        context = context_of(other)
        if context.is_valid and self.otel.is_recording():
            self.otel.add_link(context, attributes_of(None, attributes))

    def fail(self, description: str = "", /) -> None:
        """Set the status to error; an exception that follows does not take the description away."""
        self._failed = True
        self.otel.set_status(trace.Status(trace.StatusCode.ERROR, text_of(description, MAX_NAME) or None))

    def record(self, error: BaseException, /) -> None:
        """Record an exception, and set the status to error."""
        if not self.otel.is_recording():
            return
        try:
            self.otel.set_attribute("error.type", qualified_name(type(error)))
            if not self._failed:
                self.fail(failure_text(error))
            if self._record_exceptions:
                _add_event(self.otel, error)
        except Exception as ours:  # noqa: BLE001 - whatever implements OpenTelemetry's API
            report("record an exception", ours)

    def rename(self, name: str, /) -> None:
        """Rename the span, when its name is known only later."""
        self._name = text_of(name, MAX_NAME)
        self.otel.update_name(self._name)

    def end(self) -> None:
        """End the span. The first call counts."""
        if not self.otel.is_recording():
            return
        try:
            self.otel.end()
        except Exception as error:  # noqa: BLE001 - span processors run in here
            swallow("end a span", error)

    @property
    def name(self) -> str:
        """The span's name."""
        return self._name or getattr(self.otel, "name", "")

    @property
    def trace_id(self) -> str:
        """32 hex digits, or "" where nothing is traced."""
        context = self.otel.get_span_context()
        return trace.format_trace_id(context.trace_id) if context.is_valid else ""

    @property
    def span_id(self) -> str:
        """16 hex digits, or "" where nothing is traced."""
        context = self.otel.get_span_context()
        return trace.format_span_id(context.span_id) if context.is_valid else ""

    @property
    def traceparent(self) -> str:
        """W3C text to store with a message: another process links to it. "" where nothing is traced."""
        return traceparent_of(self.otel)

    def __repr__(self) -> str:
        return f"<SpanHandle {self.name!r} {self.trace_id}/{self.span_id}>"


def span(
    name: str,
    /,
    *,
    kind: Kind = trace.SpanKind.INTERNAL,
    links: Iterable[Linkable] = (),
    attributes: Mapping[str, object] | None = None,
    record_exceptions: bool = True,
    **more: object,
) -> SpanHandle:
    """Start a span for a ``with`` block, also around ``await``: it is current inside, and ends with the block.

    Keywords are attributes under the name they have; names with dots go into ``attributes``. Values may be anything.
    """
    made = begin(name, kind=kind, links=links, attributes=attributes_of(attributes, more))
    return SpanHandle(made, name, record_exceptions=record_exceptions)


def start_span(
    name: str,
    /,
    *,
    kind: Kind = trace.SpanKind.INTERNAL,
    parent: Linkable | None = None,
    links: Iterable[Linkable] = (),
    attributes: Mapping[str, object] | None = None,
    **more: object,
) -> SpanHandle:
    """Start a span that is not current, to be ended by ``end``; its parent is the current span, or ``parent``."""
    made = begin(name, kind=kind, links=links, attributes=attributes_of(attributes, more), parent=parent)
    return SpanHandle(made, name)


class Tracer:
    """``start_span`` as a method, for those who look for a tracer."""

    start_span = staticmethod(start_span)


def current_span() -> SpanHandle:
    """Return the span that is current, whoever started it; one that records nothing where none is."""
    return SpanHandle(trace.get_current_span())


def begin(
    name: str,
    *,
    kind: Kind = trace.SpanKind.INTERNAL,
    links: Iterable[Linkable] = (),
    attributes: Mapping[str, AnyValue] | None = None,
    parent: Linkable | None = None,
) -> trace.Span:
    """Start OpenTelemetry's span; one that records nothing if that fails."""
    try:
        context = None if parent is None else trace.set_span_in_context(span_of(parent))
        return scope.tracer().start_span(
            text_of(name, MAX_NAME),
            context,
            kind if isinstance(kind, trace.SpanKind) else _KINDS[kind],
            attributes,
            links_to(links) if links else None,
        )
    except Exception as error:  # noqa: BLE001 - samplers and span processors run in here
        swallow("start a span", error)
        return trace.NonRecordingSpan(trace.get_current_span().get_span_context())  # children find their parent


def leave(token: Token[Context], before: Context, left: trace.Span) -> None:
    """Make current what was before ``attach`` gave ``token``.

    A generator may be resumed, or closed, in another thread or task than it was entered in: there the token means
    nothing, and the span is taken away only if it is the current one.
    """
    try:
        token.var.reset(token)
    except ValueError:
        if trace.get_current_span() is left:
            context_api.attach(before)


def _add_event(otel: trace.Span, error: BaseException) -> None:
    try:
        otel.record_exception(error)
    except Exception:  # noqa: BLE001 - without capture_exceptions the SDK asks for the text, and there may be none
        attributes = {"exception.type": qualified_name(type(error)), "exception.message": text_of(error)}
        otel.add_event("exception", {**attributes, "exception.stacktrace": "".join(format_exception(error))})


def qualified_name(kind: type) -> str:
    """Return the name of a type as ``error.type`` has it: with its module, unless it is a builtin."""
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
