"""Which tellings of an exception are of one that was told before.

One exception is told several times: by each span that it leaves, by the log line about it, by both signals of an SDK
that is set to ``logs/dup``, and once more by a resend. It is one occurrence.

With an id of the occurrence (our SDK) all tellings that have it are one. Without, those are compared that have trace,
service, type, message and the place that raised in common:

- of spans, those count of which no child told it: an exception goes up. Twenty calls that fail alike are twenty.
- log records with one stack count each; with another stack it is one exception, logged further out as well.
- spans and log records tell of the same ones: the larger number counts.

A log record outside of traces is an occurrence of its own.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from dataclasses import dataclass, field
from typing import Any

#: Exceptions remembered, 0.5 to 1.5 kB each: at 1 000 errors a second those of the last half minute.
REMEMBERED = 30_000


@dataclass(frozen=True, slots=True)
class Telling:
    """One span event or log record that tells of an exception; ids are bytes, None or empty where there are none."""

    occurrence_id: str | None
    trace_id: bytes | None
    span_id: bytes | None
    parent_span_id: bytes | None  # of the span that has the event
    is_span_event: bool
    time_ns: int
    event_index: int
    origin: tuple[str, str, str, str]  # service, type, message, and the place that raised
    stack_hash: int


@dataclass(slots=True)
class _Told:
    """What was told of alike exceptions of one trace."""

    counted: int = 0
    events: set[tuple[bytes | None, int, int]] = field(default_factory=set)
    parents: set[bytes] = field(default_factory=set)
    of_span: dict[bytes | None, list[int]] = field(default_factory=lambda: defaultdict(list))  # stacks
    of_stack: dict[tuple[bool, int], int] = field(default_factory=lambda: defaultdict(int))

    def add(self, telling: Telling) -> bool:
        """Take a telling; whether it is one more occurrence."""
        stack = (telling.is_span_event, telling.stack_hash)
        if not telling.is_span_event:
            self.of_stack[stack] += 1
        elif not self._add_event(telling, stack):
            return False
        if self.of_stack[stack] <= self.counted:
            return False
        self.counted += 1
        return True

    def _add_event(self, telling: Telling, stack: tuple[bool, int]) -> bool:
        event = (telling.span_id, telling.time_ns, telling.event_index)
        if event in self.events:  # the span was sent again
            return False
        self.events.add(event)
        parent = telling.parent_span_id
        if parent and parent not in self.parents:
            self.parents.add(parent)
            for passed_on in self.of_span.pop(parent, ()):
                self.of_stack[True, passed_on] -= 1
        if telling.span_id in self.parents:
            return False
        self.of_span[telling.span_id].append(telling.stack_hash)
        self.of_stack[stack] += 1
        return True


class Retellings:
    """The tellings of the latest exceptions. Belongs to one thread."""

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._told: OrderedDict[tuple[bytes, tuple[str, str, str, str]], Telling | _Told] = OrderedDict()

    def is_new(self, telling: Telling) -> bool:
        """Whether a telling is the first of an occurrence, as far as is remembered; it is remembered itself."""
        if telling.occurrence_id:
            is_new = telling.occurrence_id not in self._ids
            self._ids[telling.occurrence_id] = None
            self._forget(self._ids)
            return is_new
        if not telling.trace_id:
            return True
        key = (telling.trace_id, telling.origin)
        held = self._told.get(key)
        if held is None:  # most are told once, and then need the least
            self._told[key] = telling
            self._forget(self._told)
            return True
        self._told.move_to_end(key)
        if isinstance(held, Telling):
            first, held = held, _Told()
            held.add(first)
            self._told[key] = held
        return held.add(telling)

    def _forget(self, known: OrderedDict[Any, Any]) -> None:
        if len(known) > self._remembered:
            known.popitem(last=False)
