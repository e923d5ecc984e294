"""One signal's way to the server: attempts, repetitions, and what happens to a body that did not get there."""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING, NamedTuple, Protocol

from spanglass.clock import NS_PER_S
from spanglass.delivery.transport.answers import NO_TIME, Answer, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass.delivery.closing import Closing
    from spanglass.delivery.counts import DeliveryCounts
    from spanglass.delivery.replay import Keeper
    from spanglass.delivery.signals import Signal
    from spanglass.delivery.transport.line import Line

_MAX_ATTEMPTS = 6  # as OpenTelemetry's exporters
_MAX_DOUBLINGS = 5


class Sender(Protocol):
    """A transport: one attempt with one body of protobuf."""

    def send(self, body: bytes, timeout_s: float) -> Answer:
        """Try once; never raises for what a server or a network does."""

    def close(self) -> None:
        """Close connections."""

    def after_fork(self) -> None:
        """Leave the parent's connections to the parent."""


class _InFlight(NamedTuple):
    body: bytes
    records: int


def backoff_ns(attempt: int) -> int:
    """How long to wait after an attempt, counted from 0: 1, 2, 4 ... 32 seconds, and up to a fifth more or less."""
    return round((1 << min(attempt, _MAX_DOUBLINGS)) * random.uniform(0.8, 1.2) * NS_PER_S)  # noqa: S311 - no secret


class Courier:
    """Delivers bodies of one signal, one at a time; runs in the threads that export, never in the application's.

    Without a spool a body is tried again for ``timeout_ns``. With one, a body that can't be delivered at the first
    attempt is kept, and so is what follows, until the replayer finds the server up again. ``told`` is called with what
    the server says of intervals each time it took something.
    """

    def __init__(
        self,
        signal: Signal,
        sender: Sender,
        line: Line,
        counts: DeliveryCounts,
        closing: Closing,
        *,
        timeout_ns: int,
        keeper: Keeper | None = None,
        told: Callable[[str], None] = lambda _: None,
        clock_ns: Callable[[], int] = time.monotonic_ns,
        backoff: Callable[[int], int] = backoff_ns,
    ) -> None:
        self.signal = signal
        self._sender = sender
        self._line = line
        self._counts = counts
        self._closing = closing
        self._timeout_ns = timeout_ns
        self._keeper = keeper
        self._told = told
        self._clock_ns = clock_ns
        self._backoff = backoff
        self._in_flight: dict[int, _InFlight] = {}  # by thread: what ``rescue`` may have to keep

    def deliver(self, body: bytes, records: int, limit_ns: int | None = None) -> bool:
        """Deliver a body, or keep or drop it; True if the server has it. Takes up to the timeout, or to a limit."""
        if self._keeper is not None:
            self._keeper.start()
            if self._line.down:
                self._keeper.keep(self.signal, body, records)
                return False
        thread = threading.get_ident()
        self._in_flight[thread] = _InFlight(body, records)
        answer = self._attempts(body, self._timeout_ns if limit_ns is None else min(limit_ns, self._timeout_ns))
        if self._in_flight.pop(thread, None) is None:
            return False  # ``rescue`` has kept and counted it
        if answer.verdict is Verdict.TAKEN:
            self._line.came_up()
            self._told(answer.intervals)
            self._line.left_out(self.signal, answer)
            self._counts.sent(self.signal, records, answer)
            return True
        self._lose_or_keep(body, records, answer)
        return False

    def give_up(self, records: int, answer: Answer) -> None:
        """Count records that no attempt is made for."""
        self._counts.failed(self.signal, records, answer)

    def rescue(self) -> None:
        """At the very end: keep what an attempt that still hangs has in its hands. It may arrive too, as a resend."""
        for thread in list(self._in_flight):
            left = self._in_flight.pop(thread, None)
            if left is not None:
                self._lose_or_keep(left.body, left.records, NO_TIME)

    def close(self) -> None:
        """Rescue what is on its way, and close the connections."""
        self.rescue()
        self._sender.close()

    def after_fork(self) -> None:
        """What the parent had on its way is the parent's."""
        self._in_flight = {}
        self._sender.after_fork()

    def _lose_or_keep(self, body: bytes, records: int, answer: Answer) -> None:
        if answer.verdict is Verdict.REFUSED:
            self._line.refused(self.signal, answer)
        elif answer is not NO_TIME:
            self._line.went_down(self.signal, answer)
        if answer.verdict is Verdict.LATER and self._keeper is not None:
            self._keeper.keep(self.signal, body, records, retry_after_ns=answer.retry_after_ns)
        else:
            self._counts.failed(self.signal, records, answer)

    def _attempts(self, body: bytes, timeout_ns: int) -> Answer:
        answer = NO_TIME
        deadline_ns = self._clock_ns() + timeout_ns
        for attempt in range(_MAX_ATTEMPTS):
            left_ns = self._closing.sending_ns(deadline_ns - self._clock_ns())
            if self._keeper is not None and self._closing.begun:
                left_ns //= 2  # so that there is time to keep the rest
            if left_ns <= 0:
                return answer
            answer = self._sender.send(body, left_ns / NS_PER_S)
            self._counts.attempted(self.signal, answer, again=attempt > 0)
            if answer.verdict is not Verdict.LATER or self._keeper is not None or self._closing.begun:
                return answer
            pause_ns = answer.retry_after_ns
            if pause_ns is None:
                pause_ns = self._backoff(attempt)
            if pause_ns > deadline_ns - self._clock_ns():
                return answer
            self._line.went_down(self.signal, answer)
            self._closing.wait(pause_ns)  # the end cuts it short, and leaves one more attempt
        return answer
