"""The server's own threads: each is kept at work whatever it meets, and health knows of those that fail.

A thread calls its *step* again and again. A step that raises is logged, counted and called again after a pause that
doubles; until it returns, the thread is a problem of the server. A thread that ends though nobody asked it to is one
for good.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.self_metrics import registry as own

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_server.self_metrics.registry import Telemetry

_LOG = logging.getLogger(__name__)
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


class Task:
    """One thread at its work."""

    def __init__(self, name: str, step: Callable[[], bool], supervisor: Supervisor) -> None:
        self.name = name
        self.failures = 0  # in a row
        self._reason = ""
        self._step = step
        self._supervisor = supervisor
        self._finished = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def problem(self) -> str | None:
        """What is wrong with the thread, in words for people; None while nothing is."""
        if self._finished:
            return None
        if not self._thread.is_alive():
            return f"the server's thread {self.name!r} has ended; restart the server"
        if self.failures:
            return f"the server's thread {self.name!r} fails ({self._reason}); it is tried again"
        return None

    @property
    def ended(self) -> bool:
        """Whether the thread is gone though its work is not."""
        return not self._finished and not self._thread.is_alive()

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait for the thread's end, at most for so long; whether it has ended."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
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
    """Starts the threads, and knows what is wrong with them."""

    def __init__(self, telemetry: Telemetry, backoff: Backoff | None = None) -> None:
        self.telemetry = telemetry
        self.backoff = backoff or Backoff()
        self.stopping = threading.Event()
        self._tasks: list[Task] = []

    def start(self, name: str, step: Callable[[], bool]) -> Task:
        """Call ``step`` in a thread of its own until it returns False, as it does once its work is over."""
        task = Task(name, step, self)
        self._tasks.append(task)
        return task

    def every(self, seconds: float, name: str, work: Callable[[], object]) -> Task:
        """Call ``work`` again and again with pauses of so many seconds, until ``stop``."""
        failed = False

        def step() -> bool:
            nonlocal failed
            pause = 0.0 if failed else seconds  # after a failure the backoff was the pause
            if self.stopping.wait(pause):
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
