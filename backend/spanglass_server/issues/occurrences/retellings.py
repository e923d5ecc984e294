"""Which tellings of an exception are of one that was told before.

One exception is told several times: by each span that it leaves, by the log line about it, by both signals of an SDK
that is set to ``logs/dup``, and once more by a resend. It is one occurrence.

With an id of the occurrence (our SDK) all tellings that have it are one. Without, those are compared that have trace,
service, type, message and the place that raised in common:

- of spans, those count of which no child told it: an exception goes up. Twenty calls that fail alike are twenty.
- log records with one stack count each; with a longer stack it is one exception, logged further out as well.
- spans and log records tell of the same ones: the larger number counts.
- a record that was sent again does not count. Log records are known by their time, if it is finer than milliseconds:
  in one of those many may be alike.

For log records outside of traces see ``further_out.py``.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from spanglass_server.issues.occurrences.further_out import FurtherOut
from spanglass_server.issues.occurrences.telling import FRAME_BYTES

if TYPE_CHECKING:
    from spanglass_server.issues.occurrences.telling import Telling

#: Tellings remembered, 0.5 to 1.5 kB each: at 1 000 errors a second those of the last half minute.
REMEMBERED = 30_000
#: The most of one trace that are alike: a loop that fails in a trace without end is not remembered for ever.
_ALIKE_MAX = 3_000
_STACKS_MAX = 100  # of these: all are compared with each other

_Stack = tuple[bool, int, bytes]  # of an event, its hash, its frames


@dataclass(slots=True)
class _Told:
    """What was told of alike exceptions of one trace."""

    counted: int = 0
    records: set[tuple[Any, ...]] = field(default_factory=set)  # events and log records, to know those sent again
    parents: set[bytes] = field(default_factory=set)
    of_span: dict[bytes | None, list[_Stack]] = field(default_factory=lambda: defaultdict(list))
    calls: dict[bytes, set[bytes | None]] = field(default_factory=lambda: defaultdict(set))  # of spans, by parent
    of_stack: dict[_Stack, int] = field(default_factory=lambda: defaultdict(int))

    def copy(self) -> _Told:
        """Return one that does not change with this."""
        return _Told(
            self.counted,
            {*self.records},
            {*self.parents},
            defaultdict(list, {span: [*stacks] for span, stacks in self.of_span.items()}),
            defaultdict(set, {parent: {*spans} for parent, spans in self.calls.items()}),
            defaultdict(int, self.of_stack),
        )

    def add(self, telling: Telling) -> bool:
        """Take a telling; whether it is one more occurrence."""
        if telling.record is not None:
            if telling.record in self.records:
                return False
            self.records.add(telling.record)
        stack = (telling.is_span_event, telling.stack_hash, telling.frames)
        if not telling.is_span_event:
            self.of_stack[stack] += 1
        elif not self._add_event(telling, stack):
            return False
        if self._least(telling.is_span_event) <= self.counted:
            return False
        self.counted += 1
        return True

    def _least(self, is_event: bool) -> int:  # noqa: FBT001 - private
        """Return how many exceptions there are at least, by what spans or log records told.

        Of stacks of which one is part of the other, the longer may be of exceptions that the shorter told. Those of
        spans with one parent are not: they are different calls.
        """
        own: dict[bytes, int] = defaultdict(int)
        for (of_event, _, frames), count in self.of_stack.items():
            if of_event is is_event:
                own[frames] = max(own[frames], count)
        calls = max(map(len, self.calls.values()), default=0) if is_event else 0
        if len(own) == 1:
            return max(calls, *own.values())
        longer: dict[bytes | None, int] = defaultdict(int)
        for frames in sorted(own, key=len, reverse=True):
            parts = (frames[:end] for end in range(len(frames) - FRAME_BYTES, -1, -FRAME_BYTES))
            longer[next((part for part in parts if part in own), None)] += max(own[frames], longer[frames])
        return max(calls, longer[None])

    def _add_event(self, telling: Telling, stack: _Stack) -> bool:
        parent = telling.parent_span_id
        if parent and parent not in self.parents:
            self.parents.add(parent)
            for passed_on in self.of_span.pop(parent, ()):
                self.of_stack[passed_on] -= 1
            for calls in self.calls.values():
                calls.discard(parent)
        if telling.span_id in self.parents:
            return False
        if parent:
            self.calls[parent].add(telling.span_id)
        self.of_span[telling.span_id].append(stack)
        self.of_stack[stack] += 1
        return True

    @property
    def size(self) -> int:
        """How many tellings this remembers, about."""
        return max(len(self.records), self.counted)


_Key = tuple[bytes, tuple[str, str, str, str]]


class Retellings:
    """The tellings of the latest exceptions. Belongs to one thread.

    What was taken since ``begin`` can be undone, for the case that its occurrences could not be stored.
    """

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._told: OrderedDict[_Key, Telling | _Told] = OrderedDict()
        self._size = 0
        self._further_out = FurtherOut(remembered)
        self._before: dict[_Key, Telling | _Told | None] = {}
        self._new_ids: list[str] = []

    def begin(self) -> None:
        """Keep what was taken so far for good."""
        self._before.clear()
        self._new_ids.clear()
        self._further_out.begin()

    def undo(self) -> None:
        """Forget what was taken since ``begin``."""
        for key, before in self._before.items():
            self._drop(key)
            if before is not None:
                self._told[key] = before
                self._size += _size_of(before)
        for occurrence_id in self._new_ids:
            self._ids.pop(occurrence_id, None)
        self._further_out.undo()
        self.begin()

    def is_new(self, telling: Telling) -> bool:
        """Whether a telling is the first of an occurrence, as far as is remembered; it is remembered itself."""
        if telling.occurrence_id:
            return self._is_new_id(telling.occurrence_id)
        if not telling.trace_id:
            return self._further_out.is_new(telling)
        return self._is_new_in_trace((telling.trace_id, telling.origin), telling) and not (
            self._further_out.is_told(telling)
        )

    def _is_new_id(self, occurrence_id: str) -> bool:
        if occurrence_id in self._ids:
            self._ids.move_to_end(occurrence_id)
            return False
        self._ids[occurrence_id] = None
        self._new_ids.append(occurrence_id)
        if len(self._ids) > self._remembered:
            self._ids.popitem(last=False)
        return True

    def _is_new_in_trace(self, key: _Key, telling: Telling) -> bool:
        held = self._told.get(key)
        if key not in self._before:
            self._before[key] = held.copy() if isinstance(held, _Told) else held
        if held is None:  # most are told once, and then need the least
            self._told[key] = telling
            self._size += 1
            self._forget()
            return True
        self._told.move_to_end(key)
        self._size -= _size_of(held)
        if not isinstance(held, _Told):
            first, held = held, _Told()
            held.add(first)
        is_new = held.add(telling)
        self._told[key] = held
        self._size += held.size
        if held.size > min(_ALIKE_MAX, self._remembered) or len(held.of_stack) > _STACKS_MAX:
            self._drop(key)
        self._forget()
        return is_new

    def _forget(self) -> None:
        while self._size > self._remembered:
            self._drop(next(iter(self._told)))

    def _drop(self, key: _Key) -> None:
        held = self._told.pop(key, None)
        if held is not None:
            self._size -= _size_of(held)


def _size_of(held: Telling | _Told) -> int:
    return held.size if isinstance(held, _Told) else 1
