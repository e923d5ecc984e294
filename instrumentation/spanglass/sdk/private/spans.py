"""Private parts of spans, log records, and the providers and processors of both."""

from __future__ import annotations

from contextlib import contextmanager
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from spanglass.sdk.private.features import (
    BY_NAME,
    DECORATOR,
    EVENTS,
    LOG_EXCEPTIONS,
    REMOVAL,
    SLOW_QUERIES,
    lose,
    optional,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from types import ModuleType

    from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor, ReadableLogRecord
    from opentelemetry.sdk.trace import Event, TracerProvider
    from opentelemetry.trace import Link

agnostic_context_manager: Any = contextmanager  # fits fewer kinds of functions
with optional(DECORATOR):
    from opentelemetry.util._decorator import _agnosticcontextmanager

    agnostic_context_manager = _agnosticcontextmanager


def _events_and_links() -> Callable[[ReadableSpan], tuple[Sequence[Event], Sequence[Link]]]:
    empty = ReadableSpan("", resource=Resource.get_empty())
    if hasattr(empty, "_events") and hasattr(empty, "_links"):
        return attrgetter("_events", "_links")
    lose(EVENTS, AttributeError("_events"))
    return attrgetter("events", "links")


#: A span's events and links as they are kept: the public ones are locked and copied, and don't know what was dropped.
events_and_links = _events_and_links()


class AtEnd(SpanProcessor):
    """A processor that is asked, by ``ending``, before a span ends; a step that the SDK has under a private name."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._on_ending = cls.ending  # type: ignore[assignment,method-assign] # the SDK calls it, without a call in between
        if not hasattr(SpanProcessor, "_on_ending"):
            lose(SLOW_QUERIES, AttributeError("SpanProcessor._on_ending"))

    def ending(self, span: Span) -> None:
        """Look at a span that ends; its end time is set, and its own methods refuse to change it."""


def tell_ending(processor: SpanProcessor, span: Span) -> None:
    """Have a processor do what it does before a span ends."""
    with optional(SLOW_QUERIES):
        processor._on_ending(span)  # noqa: SLF001


def add_attributes(span: Span, more: Mapping[str, str | int]) -> None:
    """Add to a span that is ending: by now its own methods refuse, and its attributes are locked."""
    with optional(SLOW_QUERIES):
        attributes: Any = span._attributes  # noqa: SLF001
        attributes._immutable = False  # noqa: SLF001
        try:
            for name, value in more.items():
                attributes.setdefault(name, value)
        finally:
            attributes._immutable = True  # noqa: SLF001


def log_exceptions() -> tuple[ModuleType, str] | None:
    """Return where the function is that describes a log record's exception: module and name; None if it is gone."""
    name = "_get_exception_attributes"
    with optional(LOG_EXCEPTIONS):
        from opentelemetry.sdk._logs._internal import _exceptions  # noqa: PLC0415

        getattr(_exceptions, name)
        return _exceptions, name
    return None


def encode_logs(records: Sequence[ReadableLogRecord]) -> bytes:
    """Encode a request by OpenTelemetry's encoder; raises ``ImportError`` where it is gone, which costs the records."""
    from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs as upstream  # noqa: PLC0415

    return upstream(records).SerializeToString()


def remove_span_processors(provider: TracerProvider, processors: Iterable[SpanProcessor]) -> None:
    """Take processors out of a provider."""
    with optional(REMOVAL):
        _remove(provider._active_span_processor, "_span_processors", processors)  # noqa: SLF001


def remove_log_processors(provider: LoggerProvider, processors: Iterable[LogRecordProcessor]) -> None:
    """Take processors out of a provider."""
    with optional(REMOVAL):
        _remove(provider._multi_log_record_processor, "_log_record_processors", processors)  # noqa: SLF001


def _remove(all_of_it: Any, attribute: str, processors: Iterable[object]) -> None:
    gone = set(processors)
    with all_of_it._lock:  # noqa: SLF001
        setattr(all_of_it, attribute, tuple(each for each in getattr(all_of_it, attribute) if each not in gone))


def by_name(function: str, *names: Any) -> Any:
    """Call one of the functions that make what OpenTelemetry's variables name; None if it is gone.

    ``function``: ``exporters``, ``id_generator`` or ``sampler``. Raises what that function raises.
    """
    from opentelemetry.sdk import _configuration as upstream  # noqa: PLC0415 - 20 ms that few need

    found = getattr(upstream, f"_import_{function}", None)
    if found is None:
        lose(BY_NAME, AttributeError(f"_import_{function}"))
        return None
    return found(*names)
