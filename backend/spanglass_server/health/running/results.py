"""What came out of checks, on its way to be stored: metrics and events through ingest, statuses into the store."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from spanglass_server.health.model import Change, CheckState, Kept, Run, Status, check_subject
from spanglass_server.health.running.encoding import Event, Point, encode_events, encode_points
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_server.health.check import Check
    from spanglass_server.health.store.sqlite import HealthStore

#: Requests that wait while ingest takes nothing: ten minutes of them.
_WAITING: Final = 1200
#: How often it is saved that nothing has changed: what lies behind is not known after a crash.
_SAVE_EVERY_NS: Final = 10 * 10**9


class Sink(Protocol):
    """Stores telemetry that is made here."""

    def store(self, signal: Signal, body: bytes) -> str:
        """Store an export request of OTLP; why nothing was stored, or ""."""


@dataclass(slots=True)
class _Batch:
    """What came since the last flush."""

    points: list[Point] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    kept: dict[str, Kept] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)


class Results:
    """Collects what the runner tells, from its thread; ``flush`` stores it, in another one, once a second.

    What can't be stored waits and is tried again; of requests the newest ``_WAITING`` do.
    """

    def __init__(self, store: HealthStore, sink: Sink, clock_ns: Callable[[], int]) -> None:
        self._store = store
        self._sink = sink
        self._clock_ns = clock_ns
        self._lock = threading.Lock()
        self._batch = _Batch()
        self._waiting: deque[tuple[Signal, bytes]] = deque(maxlen=_WAITING)
        self._saved_ns = 0
        self._flushing = threading.Lock()

    def ran(self, check: Check, run: Run | None, state: CheckState, now_ns: int) -> None:
        """A check has run, or (None) was only looked at."""
        with self._lock:
            self._batch.points.append(Point(check, run, state.status, now_ns))
            self._batch.kept[check_subject(check.uid)] = _kept(check.uid, state, now_ns)

    def seen(self, check: Check, state: CheckState, now_ns: int) -> None:
        """A check is there, as it stood before."""
        with self._lock:
            self._batch.kept[check_subject(check.uid)] = _kept(check.uid, state, now_ns)

    def changed(self, check: Check, before: CheckState, after: CheckState, time_ns: int) -> None:
        """A check has another status."""
        with self._lock:
            self._batch.changes.append(_change(check.uid, before, after, time_ns))
            first_is_well = before.status is Status.UNKNOWN and after.status is Status.HEALTHY
            if after.status is not Status.UNKNOWN and not first_is_well:
                self._batch.events.append(Event(check, before.status, after.status, after.detail, time_ns))

    def dropped(self, uid: str, before: CheckState, after: CheckState, time_ns: int) -> None:
        """A check is no more, or switched off."""
        with self._lock:
            if before.status is not Status.UNKNOWN:
                self._batch.changes.append(_change(uid, before, after, time_ns))
            self._batch.kept.pop(check_subject(uid), None)
            self._batch.gone.append(check_subject(uid))

    def has_news(self) -> bool:
        """Whether ``flush`` has anything to store."""
        batch = self._batch
        return bool(self._waiting or batch.points or batch.events or batch.kept or batch.changes or batch.gone)

    def flush(self) -> None:
        """Store what has come. Raises ``OSError`` when something could not be; it is kept for the next time."""
        with self._flushing:
            self._encode()
            self._save()
            while self._waiting:
                problem = self._sink.store(*self._waiting[0])
                if problem:
                    raise OSError(f"results of checks: {problem}")
                self._waiting.popleft()

    def _encode(self) -> None:
        with self._lock:
            points, self._batch.points = self._batch.points, []
            events, self._batch.events = self._batch.events, []
        if points:
            self._waiting.append((Signal.METRICS, encode_points(points)))
        if events:
            self._waiting.append((Signal.LOGS, encode_events(events)))

    def _save(self) -> None:
        now_ns = self._clock_ns()
        with self._lock:
            batch = self._batch
            is_due = now_ns - self._saved_ns >= _SAVE_EVERY_NS or now_ns < self._saved_ns
            if not (batch.changes or batch.gone or (batch.kept and is_due)):
                return
            kept, batch.kept = batch.kept, {}
            changes, batch.changes = batch.changes, []
            gone, batch.gone = batch.gone, []
        try:
            if gone:
                self._store.forget(gone)
            self._store.save(list(kept.values()), changes)
        except BaseException:
            with self._lock:  # what came in the meantime is newer
                self._batch.kept = kept | self._batch.kept
                self._batch.changes = changes + self._batch.changes
                self._batch.gone = gone + self._batch.gone
            raise
        self._saved_ns = now_ns


def _kept(uid: str, state: CheckState, now_ns: int) -> Kept:
    return Kept(
        subject=check_subject(uid),
        status=state.status,
        since_ns=state.since_ns,
        seen_ns=now_ns,
        detail=state.detail,
    )


def _change(uid: str, before: CheckState, after: CheckState, time_ns: int) -> Change:
    return Change(
        subject=check_subject(uid),
        time_ns=time_ns,
        status=after.status,
        previous=before.status,
        detail=after.detail,
    )
