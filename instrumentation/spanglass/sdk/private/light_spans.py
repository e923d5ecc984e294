"""Spans that cost the application about half of the SDK's, and do the same.

The SDK's span makes three containers with a lock each when it begins, checks each attribute by abstract classes, and is
copied when it ends. Here events and links have a container when there is one, attributes of the plain types are
taken as they are, and an ended span, which refuses every change, is handed on itself.
"""

from __future__ import annotations

from _thread import allocate_lock
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk import trace as upstream
from opentelemetry.trace import Status, StatusCode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.trace import Link, SpanContext, SpanKind
    from opentelemetry.util.types import AnyValue

sdk: Any = upstream  # with what it does not export

#: Types whose values need no look; texts need one at their length.
_PLAIN = frozenset({int, float, bool})
_UNSET = Status(StatusCode.UNSET)


class Prepared(dict[str, Any]):
    """Attributes that were taken by a span before, and need no look: at most as many and as long as a span takes."""


class LightAttributes(BoundedAttributes):
    """A span's attributes; what is neither a short text nor a number goes the SDK's way."""

    def __init__(self, limits: upstream.SpanLimits, attributes: Mapping[str, AnyValue] | None) -> None:
        self._dict: dict[str, AnyValue] = {}
        self.maxlen = limits.max_span_attributes
        self.max_value_len = limits.max_span_attribute_length
        self.dropped = 0
        self._lock = allocate_lock()
        self._immutable = False
        if type(attributes) is Prepared:
            self._dict.update(attributes)
        elif attributes:
            self._set_items(attributes)

    def __setitem__(self, key: str, value: AnyValue) -> None:
        kind = type(value)
        if (
            self._immutable
            or not key
            or type(key) is not str
            or (kind not in _PLAIN and (kind is not str or self._is_long(value)))
            or self._is_full(1)
        ):
            super().__setitem__(key, value)
            return
        with self._lock:
            self._dict.pop(key, None)  # the newest are the last
            self._dict[key] = value

    def _set_items(self, attributes: Mapping[str, AnyValue]) -> None:
        if self._immutable or self._is_full(len(attributes)):
            super()._set_items(attributes)
            return
        own, most = self._dict, self.max_value_len
        with self._lock:
            for key, value in attributes.items():
                kind = type(value)
                if type(key) is not str or not key:
                    break
                if kind is str:
                    if most is not None and len(value) > most:  # type: ignore[arg-type] # it is a text
                        break
                elif kind not in _PLAIN:
                    break
                own.pop(key, None)
                own[key] = value
            else:
                return
        super()._set_items(attributes)

    def _is_long(self, text: Any) -> bool:
        return self.max_value_len is not None and len(text) > self.max_value_len

    def _is_full(self, more: int) -> bool:
        return self.maxlen is not None and len(self._dict) + more > self.maxlen


class LightSpan(upstream.Span):
    """A span of the SDK, made without its constructor."""

    def __init__(
        self,
        tracer: upstream.Tracer,
        name: str,
        context: SpanContext,
        parent: SpanContext | None,
        kind: SpanKind,
        attributes: Mapping[str, AnyValue] | None,
        *,
        record_exception: bool,
        set_status_on_exception: bool,
    ) -> None:
        limits: upstream.SpanLimits = tracer._span_limits  # noqa: SLF001
        self._name = name
        self._context = context
        self._kind = kind
        self._instrumentation_info = tracer.instrumentation_info
        self._instrumentation_scope = tracer._instrumentation_scope  # noqa: SLF001
        self._parent = parent
        self._start_time: int | None = None
        self._end_time: int | None = None
        self._resource = tracer.resource
        self._status = _UNSET
        self._sampler = tracer.sampler
        self._trace_config = None
        self._record_exception = record_exception
        self._set_status_on_exception = set_status_on_exception
        self._span_processor = tracer.span_processor
        self._limits = limits
        self._lock = allocate_lock()
        self._attributes = LightAttributes(limits, attributes)
        self._events: Sequence[upstream.Event] = ()
        self._links: Sequence[Link] = ()
        self._record_end_metrics = None

    def has_links(self, links: Sequence[Link]) -> None:
        """Take the links that it begins with."""
        self._links = self._new_links(links)

    def set_attributes(self, attributes: Mapping[str, AnyValue]) -> None:
        """Set attributes, as the SDK's spans do."""
        if self._end_time is not None:
            super().set_attributes(attributes)  # it says so
            return
        with self._lock:
            taken: Any = self._attributes
            taken._set_items(attributes)  # noqa: SLF001 - as the SDK does

    def end(self, end_time: int | None = None) -> None:
        """End it, once; processors get the span itself."""
        with self._lock:
            is_first = self._start_time is not None and self._end_time is None
            if is_first:
                self._end_time = sdk.time_ns() if end_time is None else end_time  # where tests set a clock
                taken: Any = self._attributes
                taken._immutable = True  # noqa: SLF001 - as the SDK does
        if not is_first:
            super().end(end_time)  # it says so
            return
        self._span_processor._on_ending(self)  # noqa: SLF001
        self._span_processor.on_end(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> upstream.ReadableSpan:
        """Return what exporters of the SDK's get, as it is now; those that change what they send copy it first."""
        return deepcopy(self._readable_span(), memo)

    def _add_event(self, event: Any) -> None:
        with self._lock:
            if self._events == ():
                self._events = self._new_events()  # type: ignore[no-untyped-call]
        super()._add_event(event)

    def _add_link(self, link: Link) -> None:
        with self._lock:
            if self._links == ():
                self._links = self._new_links(())
        super()._add_link(link)
