"""How often each collector measures: as set in the application, or by the server while it runs.

The reader collects every ``metric_interval``; a collector with a longer interval of its own sits cycles out, and sends
nothing in between. What the server says comes with its answers to exports of metrics and goes before the setting.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from spanglass.clock import NS_PER_MS
from spanglass.settings.intervals import read_intervals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

#: Cycles are not on time to the millisecond; one that comes a little early counts.
_TOLERANCE_NS = 500 * NS_PER_MS


class Intervals:
    """The intervals of one process. ``told`` may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._set: Mapping[str, int] = {}
        self._told: Mapping[str, int] = {}
        self._service = ""

    def configure(self, entries: Iterable[str], service: str) -> Callable[[], None]:
        """Take the settings of a configuration, and forget what a server said before; returns what ends that."""
        with self._lock:
            self._set, self._told, self._service = read_intervals(entries), {}, service
        return self._forget

    def _forget(self) -> None:
        with self._lock:
            self._set, self._told = {}, {}

    def told(self, header: str) -> None:
        """Take what the server says, ``host=60s, shop:process=30s``; a service before the colon is meant alone.

        What can't be read is left out.
        """
        general: dict[str, int] = {}
        own: dict[str, int] = {}
        for entry in filter(None, header.split(",")):
            place, _, text = entry.strip().partition("=")
            service, colon, name = place.rpartition(":")
            if colon and service != self._service:
                continue
            try:
                (own if colon else general).update(read_intervals([f"{name}={text}"]))
            except ValueError:
                continue
        with self._lock:
            self._told = general | own

    def of(self, collector: str) -> int:
        """A collector's interval in nanoseconds; 0: every cycle."""
        with self._lock:
            return self._told.get(collector, self._set.get(collector, 0))

    def pace(self, collector: str, monotonic_ns: Callable[[], int]) -> Callable[[], bool]:
        """Make the function that says, once a cycle, whether a collector is to measure now."""
        last: int | None = None

        def is_due() -> bool:
            nonlocal last
            now = monotonic_ns()
            if last is not None and now - last < self.of(collector) - _TOLERANCE_NS:
                return False
            last = now
            return True

        return is_due


#: The process has one: providers are process-wide too.
INTERVALS = Intervals()
