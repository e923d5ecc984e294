"""How late event loops are: a timer in each running loop, and by how much it comes late.

A loop that is held up, by a blocking call in a coroutine or by too much work, calls its timers late; so would be every
request. Two calls a second in each loop, 5 us each; no code of the application is run or changed.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import sys
import weakref
from typing import TYPE_CHECKING, Any

from spanglass.clock import NS_PER_S
from spanglass.guard import guarded
from spanglass.patching.imports import when_imported
from spanglass.runtime_metrics.patches import Patches

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from opentelemetry.metrics import Meter

    from spanglass.clock import Clock

INTERVAL_S = 0.5
_BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class EventLoops:
    """The event loops that run in this process, and the timers in them."""

    def __init__(self, meter: Meter, clock: Clock, interval_s: float = INTERVAL_S) -> None:
        self.interval_s = interval_s
        self.now_ns = clock.monotonic_ns
        self.closed = False
        self._beats: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Beat] = weakref.WeakKeyDictionary()
        self._patches = Patches()
        self._forget: Callable[[], None] = self._patches.undo
        self.lag = meter.create_histogram(
            "spanglass.asyncio.loop.lag",
            "s",
            "How late an event loop called a timer.",
            explicit_bucket_boundaries_advisory=_BOUNDS_S,
        )

    def install(self) -> Callable[[], None]:
        """Watch loops that begin to run, and the one that runs now; returns what ends that."""
        self._patches.wrap(asyncio.BaseEventLoop, "run_forever", self._watched)
        self._forget = when_imported("uvloop", self._uvloop, doing="watch loops of uvloop")
        with contextlib.suppress(RuntimeError):  # no loop is running in this thread
            self._begin(asyncio.get_running_loop())
        return self.close

    def close(self) -> None:
        """Watch no more."""
        self.closed = True
        self._forget()
        self._patches.undo()

    def after_fork(self) -> None:
        """Forget the parent's loops: the child does not run them."""
        self._beats = weakref.WeakKeyDictionary()

    def task_counts(self) -> list[int]:
        """How many tasks each running loop has."""
        return [len(asyncio.all_tasks(loop)) for loop in list(self._beats) if loop.is_running()]

    def _uvloop(self, module: ModuleType) -> None:
        # its loop is written in Cython and does not call asyncio's
        self._patches.wrap(module.Loop, "run_forever", self._watched)

    def _watched(self, run_forever: Callable[..., Any]) -> Callable[..., Any]:
        def run_watched(loop: asyncio.AbstractEventLoop) -> None:
            beat = None
            with guarded("watch an event loop"):
                beat = self._begin(loop)
            try:
                run_forever(loop)
            finally:
                if beat is not None:
                    beat.end()

        return run_watched

    def _begin(self, loop: asyncio.AbstractEventLoop) -> _Beat | None:
        if self.closed or loop.is_closed():
            return None
        beat = self._beats[loop] = _Beat(self, loop)
        beat.schedule()
        return beat


class _Beat:
    """The timer of one loop while it runs."""

    def __init__(self, loops: EventLoops, loop: asyncio.AbstractEventLoop) -> None:
        self._loops = loops
        self._loop = weakref.proxy(loop)
        self._due_ns = 0
        self._handle: asyncio.TimerHandle | None = None
        self._context = contextvars.Context()  # an empty one: that of whoever started the loop would live on here

    def schedule(self) -> None:
        """Set the timer."""
        self._due_ns = self._loops.now_ns() + int(self._loops.interval_s * NS_PER_S)
        self._handle = self._loop.call_later(self._loops.interval_s, self._late, context=self._context)

    def end(self) -> None:
        """Take the timer back."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _late(self) -> None:
        if self._loops.closed or sys.is_finalizing():
            return
        with guarded("measure an event loop"):
            self._loops.lag.record(max(0, self._loops.now_ns() - self._due_ns) / NS_PER_S)
            self.schedule()
