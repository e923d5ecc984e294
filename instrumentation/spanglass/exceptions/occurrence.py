"""One occurrence of an exception: what was said of it already, for as long as the exception object lives.

Nothing of it can be seen on the exception: not in ``vars``, not in a pickle or copy. Exceptions of classes that are
written in Python are known by weak references; built-in ones take none, and have theirs beside their attributes.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import INVALID_SPAN_CONTEXT, SpanContext

if TYPE_CHECKING:
    from collections.abc import Callable

_dict_of: Any = BaseException.__dict__["__dict__"]  # asked by itself: a class may have attributes of its own making

#: Without traces, the same object that is seen again after so long was raised again: some keep one and raise it often.
SAME_FOR_NS = 60 * 10**9


class Occurrence:
    """The id, and what was sent already."""

    __slots__ = ("id", "in_log", "in_span", "last_span_id", "place", "seen_ns")

    def __init__(self, made_id: str, place: SpanContext, seen_ns: int) -> None:
        self.id = made_id
        self.in_log = False  # a log record has described it in full
        self.in_span = False  # a span event has
        self.last_span_id: int = INVALID_SPAN_CONTEXT.span_id  # the last span that it was recorded on
        self.place = place  # where it was seen first
        self.seen_ns = seen_ns

    def covers(self, span: SpanContext, now_ns: int) -> bool:
        """Return whether what is seen now is this occurrence, not the same object raised another time."""
        if self.place.is_valid and span.is_valid:
            return self.place.trace_id == span.trace_id
        return now_ns - self.seen_ns < SAME_FOR_NS


class _Attributes(dict[str, Any]):
    """An exception's ``__dict__``, with the occurrence beside its items; copies and pickles are plain dictionaries."""

    __slots__ = ("occurrence",)
    occurrence: Occurrence

    def __reduce__(self) -> tuple[type, tuple[dict[str, Any]]]:
        return dict, (dict(self),)


_by_id: dict[int, tuple[weakref.ref[BaseException], Occurrence]] = {}


def occurrence_id_of(error: BaseException) -> str | None:
    """Return the id that an exception has got already."""
    found = _find(error)
    return None if found is None else found.id


def occurrence_of(error: BaseException, span: SpanContext, now_ns: int, new_id: Callable[[], str]) -> Occurrence:
    """Return the occurrence that an exception belongs to, seen in this span now; a new one if it is the first time."""
    found = _find(error)
    if found is not None and found.covers(span, now_ns):
        if not found.place.is_valid:
            found.place = span
        return found
    made = Occurrence(new_id(), span, now_ns)
    _keep(error, made)
    return made


def _find(error: BaseException) -> Occurrence | None:
    kept = _by_id.get(id(error))
    if kept is not None:
        return kept[1]
    attributes = _dict_of.__get__(error)
    return attributes.occurrence if type(attributes) is _Attributes else None


def _keep(error: BaseException, occurrence: Occurrence) -> None:
    key, forget = id(error), _by_id.pop  # when the interpreter ends globals may be gone before the exception
    try:
        _by_id[key] = (weakref.ref(error, lambda _: forget(key, None)), occurrence)
    except TypeError:
        attributes = _Attributes(_dict_of.__get__(error))
        attributes.occurrence = occurrence
        _dict_of.__set__(error, attributes)
