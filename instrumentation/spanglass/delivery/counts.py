"""What became of every span, data point and log record that the application handed over: counted, by signal.

``spanglass doctor`` reads the counts, ``count_metrics`` sends them. A forked child begins at zero.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from spanglass.delivery.signals import SIGNALS

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass.delivery.signals import Signal
    from spanglass.delivery.transport.answers import Answer

#: Why records are dropped without an attempt, or after being kept.
QUEUE_FULL = "queue_full"
SHUT_DOWN = "already_shutdown"
SPOOL_FULL = "spool_full"
SPOOL_FAILED = "spool_failed"
SPOOL_CORRUPT = "spool_corrupt"


class Failure(NamedTuple):
    """The last attempt that failed. ``status`` is of HTTP, None if there was no answer or with gRPC."""

    reason: str
    kind: str
    status: int | None
    at_unix_ns: int


@dataclass(slots=True)
class SignalCounts:
    """Records of one signal, by what became of them. Each record handed over ends in one of the first four."""

    sent: int = 0  # taken by the server at once
    failed: Counter[str] = field(default_factory=Counter)  # given up, by Answer.kind; rejected: left out by the server
    dropped: Counter[str] = field(default_factory=Counter)  # never sent, by one of the reasons above
    spooled: int = 0  # written to the spool, from where they are replayed or dropped later
    replayed: int = 0  # taken by the server from the spool, also of processes that are gone
    requests: int = 0  # attempts
    retries: int = 0  # attempts that repeated another one
    last_success_unix_ns: int | None = None
    last_failure: Failure | None = None
    last_message: str = ""  # what the server said about records that it left out

    @property
    def lost(self) -> int:
        """Records that the server will never have."""
        return self.failed.total() + self.dropped.total()


class DeliveryCounts:
    """The counts of one process. Thread-safe."""

    def __init__(self, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._now_ns = now_ns
        self.after_fork()

    def snapshot(self) -> dict[str, SignalCounts]:
        """Return a copy of everything, by the signal's name: traces, metrics, logs."""
        with self._lock:
            return {
                name: replace(counts, failed=counts.failed.copy(), dropped=counts.dropped.copy())
                for name, counts in self._signals.items()
            }

    def attempted(self, signal: Signal, answer: Answer, *, again: bool = False) -> None:
        """Count one attempt; whether its records got there is said by another call."""
        with self._lock:
            counts = self._signals[signal.name]
            counts.requests += 1
            counts.retries += again
            if answer.reason:
                counts.last_failure = Failure(answer.reason, answer.kind, answer.status, self._now_ns())

    def sent(self, signal: Signal, records: int, answer: Answer, *, replayed: bool = False) -> None:
        """Count records that the server took, less those that it left out."""
        rejected = min(answer.rejected, records)
        with self._lock:
            counts = self._signals[signal.name]
            counts.last_success_unix_ns = self._now_ns()
            if replayed:
                counts.replayed += records - rejected
            else:
                counts.sent += records - rejected
            if rejected:
                counts.failed["rejected"] += rejected
            counts.last_message = answer.message or counts.last_message

    def failed(self, signal: Signal, records: int, answer: Answer) -> None:
        """Count records that were given up."""
        with self._lock:
            self._signals[signal.name].failed[answer.kind] += records

    def dropped(self, signal: Signal, records: int, why: str) -> None:
        """Count records that were dropped, by one of the reasons above."""
        with self._lock:
            self._signals[signal.name].dropped[why] += records

    def spooled(self, signal: Signal, records: int) -> None:
        """Count records that are on disk now."""
        with self._lock:
            self._signals[signal.name].spooled += records

    def after_fork(self) -> None:
        """Begin at zero, with a lock that no thread of the parent holds."""
        self._lock = threading.RLock()  # a signal handler may log into a full queue while its thread counts
        self._signals = {name: SignalCounts() for name in SIGNALS}
