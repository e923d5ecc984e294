"""A clock for tests: it moves when it is told to, and by a fixed step each time it is read."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from spanglass.sdk.private.published import time_readers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: 2030-01-01 00:00:00 UTC, in nanoseconds since 1970.
START_NS = 1_893_456_000 * 10**9
_MS_NS = 10**6


class FakeClock:
    """Gives nanoseconds since 1970: ``start_ns`` first, and ``step_ns`` more at each reading."""

    def __init__(self, start_ns: int = START_NS, step_ns: int = _MS_NS) -> None:
        self._now_ns = start_ns
        self._step_ns = step_ns
        self._lock = threading.Lock()

    def __call__(self) -> int:
        """Return the time now, in nanoseconds since 1970."""
        with self._lock:
            now_ns = self._now_ns
            self._now_ns += self._step_ns
        return now_ns

    def advance(self, *, ms: float) -> None:
        """Let this many milliseconds pass before the next reading."""
        with self._lock:
            self._now_ns += round(ms * _MS_NS)


@contextmanager
def time_from(clock: Callable[[], int]) -> Iterator[None]:
    """Have spans and log records of this process read the time from ``clock`` during the block."""
    readers = time_readers()  # the SDK (1.45) takes no clock
    before = [vars(reader)["time_ns"] for reader in readers]
    for reader in readers:
        vars(reader)["time_ns"] = clock
    try:
        yield
    finally:
        for reader, time_ns in zip(readers, before, strict=True):
            vars(reader)["time_ns"] = time_ns
