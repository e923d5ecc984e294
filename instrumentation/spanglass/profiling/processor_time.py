"""The processor time of each thread, where the system tells it: on Linux."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading


class ProcessorTimes:
    """How much processor time threads have used since they were last asked about."""

    def __init__(self) -> None:
        self.known = sys.platform == "linux"
        self._used_ns: dict[int, int] = {}

    def since_last(self, threads: list[threading.Thread]) -> dict[int, int]:
        """Return nanoseconds by the threads' identifiers, of those that were there the last time, too."""
        if not self.known:
            return {}
        found, used_ns = {}, {}
        for thread in threads:
            if thread.ident is None or thread.native_id is None:
                continue
            try:
                now_ns = time.clock_gettime_ns(_clock_of(thread.native_id))
            except OSError:  # it has ended
                continue
            used_ns[thread.ident] = now_ns
            before_ns = self._used_ns.get(thread.ident)
            if before_ns is not None and now_ns >= before_ns:
                found[thread.ident] = now_ns - before_ns
        self._used_ns = used_ns
        return found


def _clock_of(native_id: int) -> int:
    """Return Linux' clock of a thread by its id in the kernel, which refuses one that has ended.

    ``time.pthread_getcpuclockid`` reads the memory of a thread that may just have ended.
    """
    return (~native_id << 3) | 6
