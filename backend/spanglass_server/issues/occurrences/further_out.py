"""Log records outside of traces about exceptions that something told already, further in.

Whoever calls the code with the span logs what comes out of it, when the trace is over; so does a server about a request
that failed. Such a record is matched with one occurrence that has service, type, message and the place that raised in
common, was told within the second before, and has a stack that is part of the record's. Each stack tells of an
occurrence once: of twenty that fail alike and twenty records, each has its own.

Log records may arrive before the spans: then it is the span that tells it once more.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spanglass_server.issues.occurrences.telling import Telling

_SECOND_NS = 1_000_000_000
_CLOCK_NS = 1_000_000  # some loggers have whole milliseconds
_LOOKED_AT = 500  # so many alike are looked at, of the latest


_Origin = tuple[str, str, str, str]


@dataclass(slots=True, eq=False)
class _Occurrence:
    """One that was counted."""

    origin: _Origin
    time_ns: int
    frames: bytes
    in_trace: bool
    records: tuple[Telling, ...] = ()  # of logs, that told it


class FurtherOut:
    """The latest occurrences, as many as ``remembered``. Belongs to one thread."""

    def __init__(self, remembered: int) -> None:
        self._remembered = remembered
        self._latest: deque[_Occurrence] = deque()
        self._alike: dict[_Origin, deque[_Occurrence]] = {}
        self._told_by_logs: dict[_Origin, deque[_Occurrence]] = {}  # those of them that no trace told first
        self._added: list[_Occurrence] = []
        self._matched: list[tuple[_Occurrence, Telling]] = []

    def begin(self) -> None:
        """Keep what was taken so far for good."""
        self._added.clear()
        self._matched.clear()

    def undo(self) -> None:
        """Forget what was taken since ``begin``."""
        for one in reversed(self._added):
            if self._latest and self._latest[-1] is one:
                self._latest.pop()
                self._remove(one)
        for one, telling in self._matched:
            if telling.is_span_event:
                one.in_trace = False
            else:
                one.records = tuple(record for record in one.records if record is not telling)

    def is_new(self, record: Telling) -> bool:
        """Whether a log record outside of traces is an occurrence of its own."""
        alike = _latest_of(self._alike, record)
        if record.record and any(known.record == record.record for one in alike for known in one.records):
            return False  # it was sent again
        matching = [
            one
            for one in alike
            if 0 <= record.time_ns - one.time_ns + _CLOCK_NS <= _SECOND_NS
            and record.frames.startswith(one.frames)
            and all(known.stack_hash != record.stack_hash for known in one.records)
        ]
        if not matching:
            self._add(record, in_trace=False)
            return True
        self._match(max(matching, key=_time_ns), record)
        return False

    def is_told(self, telling: Telling) -> bool:
        """Whether such a log record told of this before, which is the first telling of it in a trace."""
        matching = [
            one
            for one in (_latest_of(self._told_by_logs, telling) if telling.is_span_event else ())
            if not one.in_trace
            and 0 <= one.time_ns - telling.time_ns + _CLOCK_NS <= _SECOND_NS
            and one.frames.startswith(telling.frames)
        ]
        if not matching:
            self._add(telling, in_trace=True)
            return False
        self._match(min(matching, key=_time_ns), telling)
        return True

    def _match(self, one: _Occurrence, telling: Telling) -> None:
        self._matched.append((one, telling))
        if telling.is_span_event:
            one.in_trace = True
        else:
            one.records += (telling,)

    def _add(self, telling: Telling, *, in_trace: bool) -> None:
        one = _Occurrence(telling.origin, telling.time_ns, telling.frames, in_trace)
        if not telling.is_span_event:
            one.records = (telling,)
        if not in_trace:
            self._told_by_logs.setdefault(one.origin, deque()).append(one)
        self._alike.setdefault(one.origin, deque()).append(one)
        self._added.append(one)
        self._latest.append(one)
        if len(self._latest) > self._remembered:
            self._remove(self._latest.popleft())

    def _remove(self, one: _Occurrence) -> None:
        """Forget the first or the last of all."""
        for held in (self._alike, self._told_by_logs):
            alike = held.get(one.origin)
            if alike is None:
                continue
            if alike[0] is one:
                alike.popleft()
            elif alike[-1] is one:
                alike.pop()
            if not alike:
                del held[one.origin]


def _latest_of(held: dict[_Origin, deque[_Occurrence]], telling: Telling) -> list[_Occurrence]:
    alike = held.get(telling.origin)
    return list(islice(reversed(alike), _LOOKED_AT)) if alike else []


def _time_ns(one: _Occurrence) -> int:
    return one.time_ns
