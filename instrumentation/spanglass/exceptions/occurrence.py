"""One occurrence of an exception: what was said of it already, kept on the exception object itself.

The mark lies in the exception's ``__dict__`` (built-in exceptions take no weak references), so it goes when the
exception goes. It is text, and pickles as text: an exception that a worker process sends to its parent is the same
occurrence there, and the worker has described it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.trace import INVALID_SPAN_CONTEXT, SpanContext

if TYPE_CHECKING:
    from collections.abc import Callable

_KEY = "__spanglass_occurrence__"
_state_of: Callable[[BaseException], dict[str, Any]] = BaseException.__dict__["__dict__"].__get__

#: Without traces, the same object that is seen again after so long was raised again: some keep one and raise it often.
SAME_FOR_NS = 60 * 10**9


class Occurrence(str):
    """The id, and what was sent already."""

    __slots__ = ("in_log", "in_span", "last_span_id", "place", "seen_ns")

    in_log: bool  # a log record has described it in full
    in_span: bool  # a span event has
    last_span_id: int  # the last span that it was recorded on
    place: SpanContext  # where it was seen first
    seen_ns: int

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (str(self),)

    def covers(self, span: SpanContext, now_ns: int) -> bool:
        """Return whether what is seen now is this occurrence, not the same object raised another time."""
        if self.place.is_valid and span.is_valid:
            return self.place.trace_id == span.trace_id
        return now_ns - self.seen_ns < SAME_FOR_NS


def occurrence_id_of(error: BaseException) -> str | None:
    """Return the id that an exception has got already."""
    found = _state_of(error).get(_KEY)
    return str(found) if isinstance(found, str) else None


def occurrence_of(error: BaseException, span: SpanContext, now_ns: int, new_id: Callable[[], str]) -> Occurrence:
    """Return the occurrence that an exception belongs to, seen in this span now; a new one if it is the first time."""
    state = _state_of(error)
    found = state.get(_KEY)
    if type(found) is Occurrence and found.covers(span, now_ns):
        if not found.place.is_valid:
            found.place = span
        return found
    made = Occurrence(found if type(found) is str else new_id())
    made.in_log = made.in_span = type(found) is str  # it came from another process, which described it
    made.last_span_id = INVALID_SPAN_CONTEXT.span_id
    made.place, made.seen_ns = span, now_ns
    state[_KEY] = made
    return made
