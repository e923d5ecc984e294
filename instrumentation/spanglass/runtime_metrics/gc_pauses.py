"""How long the garbage collector stops the interpreter.

``gc`` calls back in whatever thread allocates, possibly one that holds a lock of the SDK, so nothing is recorded there:
pauses are summed up in plain lists, and handed over at the next collection of metrics. About 0.4 us a pause.
"""

from __future__ import annotations

import gc
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from spanglass.clock import Clock

#: Shorter pauses are only part of the sum: thousands a second in a program that allocates much.
LONG_NS = 1_000_000
_MOST_LONG = 1000  # in one collection cycle; the oldest are forgotten


class GcPauses:
    """Adds up pauses by generation."""

    def __init__(self, clock: Clock) -> None:
        self._now_ns = clock.monotonic_ns
        self._began_ns = 0
        self.total_ns = [0] * len(gc.get_stats())
        self._long: deque[tuple[int, int]] = deque(maxlen=_MOST_LONG)

    def install(self) -> Callable[[], None]:
        """Have ``gc`` call; returns what ends that."""
        gc.callbacks.append(self.called)

        def uninstall() -> None:
            if self.called in gc.callbacks:
                gc.callbacks.remove(self.called)

        return uninstall

    def called(self, phase: str, info: dict[str, Any]) -> None:
        """Take a call of ``gc``; collections are never nested."""
        if phase == "start":
            self._began_ns = self._now_ns()
        elif self._began_ns:
            pause_ns = self._now_ns() - self._began_ns
            generation = info["generation"]
            self.total_ns[generation] += pause_ns
            if pause_ns >= LONG_NS:
                self._long.append((generation, pause_ns))

    def take_long(self) -> Iterator[tuple[int, int]]:
        """Yield (generation, nanoseconds) of each long pause since the last time."""
        while self._long:
            yield self._long.popleft()
