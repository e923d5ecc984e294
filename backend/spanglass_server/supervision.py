"""The server's own threads: each is kept at work whatever it meets, and health knows of those that fail.

A thread calls its *step* again and again. A step that raises is logged, counted and called again after a pause that
doubles; until it returns, the thread is a problem of the server. A thread that ends though nobody asked it to is one
for good.

Work that is done again and again waits for its time in one thread for all of it, the *pulse*. Work that says when it is
needed is not woken while it is not: fifty threads that look for themselves cost half a percent of a core.
"""

from __future__ import annotations

import heapq
import logging
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spanglass_server.self_metrics import registry as own

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_server.self_metrics.registry import Telemetry

_LOG = logging.getLogger(__name__)
_GRID_S = 0.5  # pauses at least so long end together, so that the pulse wakes once for all of them
_LAST_TRIES = 3  # failures in a row after which a thread that is to stop is not waited for any longer


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses after failures in a row, in seconds."""

    first_s: float = 1.0
    most_s: float = 8.0

    def after(self, failures: int) -> float:
        """The pause after so many failures, the first being 1."""
        return min(self.most_s, self.first_s * float(2 ** min(failures - 1, 30)))


def in_words(error: BaseException) -> str:
    """Why something failed, in a line for people."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = str(error).strip().splitlines()
    return text[0] if isinstance(error, OSError) and text else ": ".join([type(error).__name__, *text[:1]])


def _always() -> bool:
    return True


@dataclass(slots=True, order=True)
class _Pause:
    """A thread that waits until ``due_s``, and then until its work is needed."""

    due_s: float
    every_s: float = field(compare=False)
    needed: Callable[[], bool] = field(compare=False)
    over: threading.Event = field(compare=False, default_factory=threading.Event)

    @property
    def is_over(self) -> bool:
        """Whether the work is to be done; one that can't say is called, fails as well, and is told of."""
        try:
            return self.over.is_set() or self.needed()
        except Exception:  # noqa: BLE001 - as above
            return True


class Pulse:
    """Ends the pauses of threads. ``step`` is the work of one thread, which belongs to a ``Supervisor``."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._changed = threading.Condition()
        self._pauses: list[_Pause] = []  # a heap
        self._next_s = 0.0  # when the thread looks again, if nothing shorter comes
        self._ended = False

    def pause(self, seconds: float, needed: Callable[[], bool]) -> _Pause:
        """Begin a pause; from its end on ``needed`` is asked once in so many seconds. It must be quick."""
        pause = _Pause(self._after(seconds), seconds, needed)
        with self._changed:
            heapq.heappush(self._pauses, pause)
            if pause.due_s < self._next_s or self._ended:
                self._changed.notify()
        return pause

    def step(self) -> bool:
        """End the pauses that are over, and wait for the next one; False once it was ended."""
        for pause in self._due():
            if pause.is_over:
                pause.over.set()
            else:
                pause.due_s = self._after(pause.every_s)
                with self._changed:
                    heapq.heappush(self._pauses, pause)
        with self._changed:
            if self._ended:
                return False
            now_s = self._clock_s()
            # work that is being done now will wait for the next half second: it need not wake this thread to say so
            next_s = now_s // _GRID_S * _GRID_S + _GRID_S
            self._next_s = min(next_s, self._pauses[0].due_s) if self._pauses else next_s
            left_s = self._next_s - now_s
            if left_s > 0:
                self._changed.wait(min(left_s, threading.TIMEOUT_MAX))
            self._next_s = 0.0
        return True

    def end(self) -> None:
        """Have ``step`` return False."""
        with self._changed:
            self._ended = True
            self._changed.notify()

    def _due(self) -> list[_Pause]:
        now_s, due = self._clock_s(), []
        with self._changed:
            while self._pauses and self._pauses[0].due_s <= now_s:
                due.append(heapq.heappop(self._pauses))
        return due

    def _after(self, seconds: float) -> float:
        due_s = self._clock_s() + seconds
        return due_s if seconds < _GRID_S else due_s // _GRID_S * _GRID_S


class Task:
    """One thread at its work."""

    def __init__(self, name: str, step: Callable[[], bool], supervisor: Supervisor) -> None:
        self.name = name
        self.failures = 0  # in a row
        self._reason = ""
        self._step = step
        self._supervisor = supervisor
        self._finished = False
        self._gone = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def problem(self) -> str | None:
        """What is wrong with the thread, in words for people; None while nothing is."""
        if self._finished:
            return None
        if self._gone:
            return f"the server's thread {self.name!r} has ended; restart the server"
        if self.failures:
            return f"the server's thread {self.name!r} fails ({self._reason}); it is tried again"
        return None

    @property
    def ended(self) -> bool:
        """Whether the thread is gone though its work is not. Each request asks, and ``is_alive`` is four calls."""
        return self._gone and not self._finished

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait for the thread's end, at most for so long; whether it has ended."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._work()
        finally:
            self._gone = True

    def _work(self) -> None:
        supervisor = self._supervisor
        while True:
            try:
                more = self._step()
            except Exception as error:  # noqa: BLE001 - whatever it is, the work goes on
                self._failed(error)
                if supervisor.stopping.wait(supervisor.backoff.after(self.failures)) and self.failures >= _LAST_TRIES:
                    break
            else:
                if self.failures:
                    _LOG.warning("%s: works again after %d failures", self.name, self.failures)
                self.failures = 0
                if not more:
                    break
        self._finished = True

    def _failed(self, error: Exception) -> None:
        self._supervisor.telemetry.add(own.STORAGE_ERRORS, 1, self.name)
        reason = in_words(error)
        if reason != self._reason or not self.failures:  # once, however often it is tried
            if isinstance(error, OSError):
                _LOG.error("%s: %s; trying again", self.name, reason)
            else:
                _LOG.error("%s failed; trying again", self.name, exc_info=error)
        self._reason = reason
        self.failures += 1


class Supervisor:
    """Starts the threads, and knows what is wrong with them.

    Without a ``pulse`` of another one it has its own. The one whose pulse it is stops last.
    """

    def __init__(self, telemetry: Telemetry, backoff: Backoff | None = None, pulse: Pulse | None = None) -> None:
        self.telemetry = telemetry
        self.backoff = backoff or Backoff()
        self.stopping = threading.Event()
        self._tasks: list[Task] = []
        self._pauses: dict[str, _Pause] = {}
        self.pulse = pulse or Pulse()
        self._runs_pulse = pulse is None  # once something is done again and again

    def start(self, name: str, step: Callable[[], bool]) -> Task:
        """Call ``step`` in a thread of its own until it returns False, as it does once its work is over."""
        task = Task(name, step, self)
        self._tasks.append(task)
        return task

    def every(
        self, seconds: float, name: str, work: Callable[[], object], needed: Callable[[], bool] = _always
    ) -> Task:
        """Call ``work`` again and again with pauses of so many seconds, until ``stop``.

        A pause lasts until ``needed`` is true, which is asked once in so many seconds; see ``Pulse.pause``.
        """
        if self._runs_pulse and not self._pauses:
            self.start("pulse", self.pulse.step)
        self._pauses[name] = _Pause(0.0, seconds, needed)  # the thread begins one before it waits
        failed = False

        def step() -> bool:
            nonlocal failed
            if not failed:  # after a failure the backoff was the pause
                self._pauses[name] = pause = self.pulse.pause(seconds, needed)
                if not self.stopping.is_set():
                    pause.over.wait()
            if self.stopping.is_set():
                return False
            failed = True
            work()
            failed = False
            return True

        return self.start(name, step)

    @property
    def problems(self) -> list[str]:
        """What is wrong with the threads, in words for people."""
        return [problem for task in self._tasks if (problem := task.problem) is not None]

    def stop(self) -> None:
        """End what is done again and again, and all pauses."""
        self.stopping.set()
        for pause in list(self._pauses.values()):
            pause.over.set()
        if self._runs_pulse:
            self.pulse.end()
