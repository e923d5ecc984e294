"""Background work that gives way to people: it does not begin to read while a question is being answered.

Alert rules and findings look at what came in a moment ago just when people do. Both compute in Python, one at a time,
so that a trace which takes 13 ms of processor time was there after 32. Nobody waits for rules and findings: they read
on once no question was under way for a moment, or after a second, however many there are.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Who asks again within this time is still at it: a page asks several questions, one after the other.
_PAUSE_S = 0.02
#: So long one piece of background work gives way in all.
MOST_S = 1.0


class Questions:
    """The questions of people that are under way. Thread-safe."""

    def __init__(self, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._monotonic_s = monotonic_s
        self._lock = threading.Lock()
        self._count = 0
        self._ended_s = float("-inf")

    @contextmanager
    def asked(self) -> Iterator[None]:
        """One is under way inside."""
        with self._lock:
            self._count += 1
        try:
            yield
        finally:
            with self._lock:
                self._count -= 1
                self._ended_s = self._monotonic_s()

    @property
    def left_s(self) -> float:
        """How long it will be at least until none was under way for a moment; 0 if that is so."""
        with self._lock:
            return _PAUSE_S if self._count else max(0.0, self._ended_s + _PAUSE_S - self._monotonic_s())


class GivingWay:
    """Has one piece of background work wait; for one thread. ``sleep`` takes seconds."""

    def __init__(
        self, questions: Questions, stopped: Callable[[], bool], sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._questions = questions
        self._stopped = stopped
        self._sleep = sleep
        self._left_s = MOST_S

    def wait(self) -> None:
        """Return once nobody waits for an answer, the work is to stop, or it has waited for long enough."""
        while (pause_s := min(self._questions.left_s, self._left_s)) > 0 and not self._stopped():
            self._left_s -= pause_s
            self._sleep(pause_s)
