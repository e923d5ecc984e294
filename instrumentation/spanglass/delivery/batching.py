"""Bounded queues between the application and the threads that export: a hand-over takes about a microsecond.

The SDK's own batch processors count no drops, log each of them, wait for the server in ``force_flush`` however long it
takes, and know no deadline at the end; these do. A full queue loses its oldest item, as with the SDK.
"""

from __future__ import annotations

import os
import queue
import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Generic, TypeVar

from opentelemetry.instrumentation.utils import suppress_instrumentation

from spanglass.clock import NS_PER_S
from spanglass.delivery.counts import QUEUE_FULL, SHUT_DOWN
from spanglass.guard import guarded
from spanglass.process import forking

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass.delivery.closing import Closing

Item = TypeVar("Item")

BATCH = 512  # as the SDK's
_GRACE_S = 0.25  # for a thread that is done with sending, and not with what follows
_END_S = 1.0  # for a thread that may be sending
DELAY_S = 1.0  # the SDK's spans wait five times as long; people look for what they have just done


class Batcher(Generic[Item]):
    """A queue of at most ``capacity`` items, and the thread that exports it in batches.

    The thread begins with the first item. A forked child begins with an empty queue and without a thread: what the
    parent had queued is the parent's to send.
    """

    def __init__(
        self,
        export: Callable[[list[Item]], object],
        closing: Closing,
        *,
        what: str,
        capacity: int,
        dropped: Callable[[int, str], None],
        timeout_ns: int,
        rescue: bool = False,
        delay_s: float = DELAY_S,
        batch: int = BATCH,
    ) -> None:
        self.capacity = capacity
        self._export = export
        self._closing = closing
        self._what = what
        self._dropped = dropped
        self._timeout_ns = timeout_ns
        self._rescue = rescue
        self._delay_s = delay_s
        self._batch = min(batch, capacity)
        self._stopped = False
        self._given_up = False
        self._begin()
        self._forget = forking.in_child(self._renew, end_thread=self._end_thread)
        closing.on_begin(self._hurry)

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, item: Item) -> None:
        """Hand an item over; of a full queue the oldest goes. Never waits, never raises."""
        items = self._queue
        if len(items) >= self.capacity or self._stopped:
            self._make_room()
            if self._stopped:
                return
        items.append(item)
        if self._thread is None:
            self._start()
        elif len(items) >= self._batch and not self._woken:
            self._hurry()

    def flush(self, timeout_s: float) -> bool:
        """Have all that is queued exported now; False if that is not done in time."""
        done = threading.Event()
        if self._stopped or threading.current_thread() is self._thread:
            return False
        with self._lock:
            self._flushes.append(done)
        self._start()
        self._hurry()
        return done.wait(timeout_s)

    def stop(self) -> None:
        """Export what is queued, for as long as there is time, and take no more.

        Without any time left the rest is exported here if that only means to keep it (``rescue``), else dropped.
        """
        if self._stopped:
            return
        self._stopped = True
        self._forget()
        self._hurry()
        thread = self._thread if self._thread is not threading.current_thread() else None
        if thread is not None:
            thread.join(self._closing.sending_ns(self._timeout_ns) / NS_PER_S)
        self._given_up = True
        if self._rescue or thread is None or self._paused_pid:
            self._drain_here()
        if left := len(self._queue):
            self._queue.clear()
            self._dropped(left, SHUT_DOWN)
        if thread is not None:
            thread.join(_GRACE_S)  # its last attempt may be over, and not yet counted or kept

    def _renew(self) -> None:
        going_on, kept = self._paused_pid == os.getpid(), list(self._queue)
        self._begin()
        if going_on:
            self._queue.extend(kept)
            self._start()  # now: in the middle of the application's work, starting a greenlet lets others run

    def _end_thread(self) -> None:
        """End the thread, where the process goes on with others; what is queued stays."""
        self._paused_pid = os.getpid()
        thread = self._thread
        if thread is not None:
            self._hurry()
            thread.join(_END_S)

    def _begin(self) -> None:
        self._paused_pid = 0  # of the process that has ended its thread, until it begins anew
        self.passed_on = 0  # items given to the exporter
        self._queue: deque[Item] = deque()
        self._flushes: list[threading.Event] = []
        # Signal handlers and destructors log too, in the middle of whatever they interrupt: so a lock that its holder
        # can take again, and a SimpleQueue in place of an Event, whose `set` can't be interrupted by another `set`.
        self._lock = threading.RLock()
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._woken = False
        self._thread: threading.Thread | None = None

    def _make_room(self) -> None:
        if self._stopped:
            self._dropped(1, SHUT_DOWN)
            return
        try:
            self._queue.popleft()
        except IndexError:  # the thread was faster
            return
        self._dropped(1, QUEUE_FULL)

    def _start(self) -> None:
        with self._lock:
            if self._thread is not None or self._paused_pid:
                return
            self._thread = threading.Thread(target=self._run, name=f"spanglass-{self._what}", daemon=True)
            try:
                self._thread.start()
            except RuntimeError:  # the interpreter is ending: `stop` exports what is queued
                self._thread = None

    def _hurry(self) -> None:
        self._woken = True
        self._wake.put(None)

    def _wait(self) -> bool:
        """Wait for the delay; True if woken before it was over."""
        try:
            self._wake.get(timeout=self._delay_s)
        except queue.Empty:
            return False
        self._woken = False
        return True

    def _run(self) -> None:
        # for the thread's whole life: what exporting does is never part of the application's telemetry
        with suppress_instrumentation():
            while True:
                woken = self._wait()
                if self._paused_pid:
                    return
                stopping = self._stopped
                with self._lock:
                    flushes, self._flushes = self._flushes, []
                waiting = len(self._queue)
                everything = stopping or flushes or self._closing.begun or not woken
                self._drain(waiting if everything else waiting - waiting % self._batch)
                for done in flushes:
                    done.set()
                if stopping:
                    return

    def _drain(self, count: int) -> None:
        while count > 0 and not self._is_late() and (batch := self._take(min(count, self._batch))):
            count -= len(batch)
            self._pass_on(batch)

    def _drain_here(self) -> None:
        """Export all that is queued, in the thread that stops the queue."""
        with suppress_instrumentation():
            while batch := self._take(self._batch):
                self._pass_on(batch)

    def _pass_on(self, batch: list[Item]) -> None:
        self.passed_on += len(batch)
        with guarded(f"export {self._what}"):
            self._export(batch)

    def _is_late(self) -> bool:
        """Return whether the thread has to leave the rest to ``stop``: nothing can be sent any more."""
        return self._given_up or (not self._rescue and self._closing.begun and not self._closing.sending_ns(1))

    def _take(self, count: int) -> list[Item]:
        batch: list[Item] = []
        with suppress(IndexError):  # full queues lose items, and `stop` takes some, at the same time
            while len(batch) < count:
                batch.append(self._queue.popleft())
        return batch
