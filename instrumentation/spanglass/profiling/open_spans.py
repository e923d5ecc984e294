"""Which spans of this process are open, and with which of them the work began that each is part of."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace import Span as SdkSpan
    from opentelemetry.trace import Span

#: Open spans that are known, those that began last: programs forget to end some. Of others the operation is their own
#: name.
MAX_OPEN = 10_000


class _Open(NamedTuple):
    span: SdkSpan
    entry: SdkSpan


class OpenSpans:
    """Told of every span of this process as it begins and ends, each in one step of a dictionary."""

    def __init__(self) -> None:
        # by the span's id; of an ordinary dictionary, to find the oldest takes up to 10 us
        self._open: OrderedDict[int, _Open] = OrderedDict()

    def began(self, span: SdkSpan) -> None:
        """Note a span, and forget the oldest of too many."""
        if span.context is None:
            return
        parent = span.parent
        above = None if parent is None or parent.is_remote else self._open.get(parent.span_id)
        self._open[span.context.span_id] = _Open(span, span if above is None else above.entry)
        if len(self._open) > MAX_OPEN:
            with suppress(KeyError):  # other threads end all of them meanwhile
                self._open.popitem(last=False)

    def ended(self, span: ReadableSpan) -> None:
        """Forget a span."""
        if span.context is not None:
            self._open.pop(span.context.span_id, None)

    def still_open(self, span: Span | None) -> Span | None:
        """Return a span, or the nearest one above it that has not ended; None if there is none.

        A span may end, and another be current again, without a word of it: ``token.var.reset(token)``.
        """
        while span is not None and getattr(span, "end_time", None) is not None:
            parent = getattr(span, "parent", None)
            above = None if parent is None else self._open.get(parent.span_id)
            span = None if above is None else above.span
        return span

    def operation(self, span: Span) -> str:
        """Return the name of the span with which the work began that a span is part of."""
        known = self._open.get(span.get_span_context().span_id)
        return str(getattr(span if known is None else known.entry, "name", ""))
