"""Keeping what can't be delivered, and delivering it in the background once the server is there again."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from opentelemetry.instrumentation.utils import suppress_instrumentation

from spanglass.clock import NS_PER_S
from spanglass.delivery.counts import SPOOL_CORRUPT, SPOOL_FAILED, SPOOL_FULL
from spanglass.delivery.courier import backoff_ns
from spanglass.delivery.signals import SIGNALS
from spanglass.delivery.spool import CorruptError, Entry, Spool
from spanglass.delivery.transport.answers import NO_TIME, Answer, Verdict
from spanglass.guard import guarded, report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from spanglass.delivery.closing import Closing
    from spanglass.delivery.counts import DeliveryCounts
    from spanglass.delivery.courier import Sender
    from spanglass.delivery.signals import Signal
    from spanglass.delivery.transport.line import Line

_END_S = 1.0
_LOOK_AROUND_NS = 60 * NS_PER_S  # how often files of processes that died are looked for

_logger = logging.getLogger("spanglass")


class Keeper:
    """The spool for one server and the thread that empties it, oldest first. Thread-safe.

    ``senders`` are by the signal's name. The thread begins with the first delivery of a process, so a
    process that is forked from one that never delivered anything has nothing to renew.
    """

    def __init__(
        self,
        spool: Spool,
        senders: Mapping[str, Sender],
        line: Line,
        counts: DeliveryCounts,
        closing: Closing,
        *,
        timeout_ns: int,
        backoff: Callable[[int], int] = backoff_ns,
    ) -> None:
        self._spool = spool
        self._senders = senders
        self._line = line
        self._counts = counts
        self._closing = closing
        self._timeout_ns = timeout_ns
        self._backoff = backoff
        self.after_fork()

    def after_fork(self) -> None:
        """Begin anew in a child: without a thread, and without the parent's files."""
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._paused = False
        self._hold_ns = 0  # what the server asked for by Retry-After
        self._spool.after_fork()

    def end_thread(self) -> None:
        """End the thread, where the process goes on with others."""
        self._paused = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(_END_S)

    @property
    def size_bytes(self) -> int:
        """Bytes that wait on disk."""
        return self._spool.size_bytes

    def start(self) -> None:
        """Start the thread if there is none; nothing where no more threads can be started, at exit."""
        if self._thread is not None or self._closing.begun:
            return
        with self._lock:
            if self._thread is None and not self._paused:
                thread = threading.Thread(target=self._run, name="spanglass-spool", daemon=True)
                with suppress(RuntimeError):  # the interpreter is ending
                    thread.start()
                    self._thread = thread

    def keep(self, signal: Signal, body: bytes, records: int, *, retry_after_ns: int | None = None) -> None:
        """Write a body to disk; if that fails it is dropped and counted, and the first failure is logged."""
        self._hold_ns = retry_after_ns or 0
        try:
            gone = self._spool.save(signal.name, body, records)
        except OSError as error:
            report("keep what can't be delivered in the spool", error)
            self._counts.dropped(signal, records, SPOOL_FAILED)
            return
        self._counts.spooled(signal, records)
        self._count_gone(gone)
        self._wake.set()

    def close(self) -> None:
        """Let the spool's directory go, for another process to take over."""
        self._wake.set()
        with guarded("close the spool"):
            self._spool.close()

    def _run(self) -> None:
        with suppress_instrumentation():
            self._look_around()
            failures = 0
            while not self._closing.begun and not self._paused:
                answer = None
                with guarded("replay the spool"):
                    answer = self._step()
                if answer is not None and answer.verdict is Verdict.LATER:
                    self._closing.wait(max(self._backoff(failures), answer.retry_after_ns or 0))
                    failures += 1
                else:
                    failures = 0

    def _step(self) -> Answer | None:
        """Replay what is oldest, or rest until there is something."""
        entry = self._spool.oldest()
        if entry is None:
            self._rest()
            return None
        hold_ns, self._hold_ns = self._hold_ns, 0
        if hold_ns and self._closing.wait(hold_ns):
            return None
        return self._replay(entry)

    def _rest(self) -> None:
        """Nothing is waiting: until something is, look for what others left."""
        if not self._wake.wait(_LOOK_AROUND_NS / NS_PER_S):
            self._look_around()
        self._wake.clear()

    def _look_around(self) -> None:
        try:
            self._count_gone(self._spool.adopt())
        except OSError as error:
            report("take over the spool of a process that is gone", error)

    def _replay(self, entry: Entry) -> Answer | None:
        """Deliver one entry; None when there was nothing to deliver."""
        signal = SIGNALS[entry.signal]
        try:
            body = self._spool.read(entry)
        except FileNotFoundError:
            self._spool.remove(entry)
            return None
        except (CorruptError, OSError) as error:
            if self._spool.set_aside(entry):
                self._counts.dropped(signal, entry.records, SPOOL_CORRUPT)
                _logger.warning("a file of the spool can't be read and was set aside: %s: %s", entry.name, error)
            return None
        left_ns = self._closing.sending_ns(self._timeout_ns)
        answer = self._senders[entry.signal].send(body, left_ns / NS_PER_S) if left_ns else NO_TIME
        if answer is NO_TIME:
            return answer
        self._counts.attempted(signal, answer, again=True)
        self._settle(entry, signal, answer)
        return answer

    def _settle(self, entry: Entry, signal: Signal, answer: Answer) -> None:
        if answer.verdict is Verdict.LATER:
            self._line.went_down(signal, answer)
            return
        known = self._spool.remove(entry)
        if answer.verdict is Verdict.TAKEN:
            self._line.came_up()
            self._line.left_out(signal, answer)
            if known:
                self._counts.sent(signal, entry.records, answer, replayed=True)
        else:
            self._line.refused(signal, answer)
            if known:
                self._counts.failed(signal, entry.records, answer)

    def _count_gone(self, gone: Iterable[Entry]) -> None:
        for entry in gone:
            self._counts.dropped(SIGNALS[entry.signal], entry.records, SPOOL_FULL)
