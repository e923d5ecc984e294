"""Where a ``MetricCollector`` keeps its aggregates."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Protocol

from spanglass.process.forking import in_child_while_alive

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass.monitoring.measurements import Aggregate

__all__ = ["MemoryStorage", "MetricStorage"]

NS_PER_DAY = 86_400 * 10**9


class MetricStorage(Protocol):
    """Keeps aggregates. Both methods may block: the collector calls them in a thread. They raise what they like."""

    def store(self, aggregates: Sequence[Aggregate]) -> None:
        """Keep aggregates; all are of one time, no earlier than those before."""

    def read(self, name: str, start_ns: int, end_ns: int) -> Sequence[Aggregate]:
        """The aggregates of a name that begin from ``start_ns`` up to before ``end_ns``, oldest first; "" for all."""


class MemoryStorage:
    """The newest aggregates, in memory: ``most`` of them, and none that ended ``retention_ns`` before the newest."""

    def __init__(self, *, most: int = 100_000, retention_ns: int = NS_PER_DAY) -> None:
        self._most = most
        self._retention_ns = retention_ns
        self.renew()
        in_child_while_alive(self)

    def renew(self) -> None:
        """Forget all."""
        self._lock = threading.Lock()
        self._kept: deque[Aggregate] = deque(maxlen=self._most)

    def store(self, aggregates: Sequence[Aggregate]) -> None:
        """Keep aggregates."""
        with self._lock:
            self._kept.extend(aggregates)
            oldest_ns = max((each.end_ns for each in aggregates), default=0) - self._retention_ns
            while self._kept and self._kept[0].end_ns <= oldest_ns:
                self._kept.popleft()

    def read(self, name: str, start_ns: int, end_ns: int) -> list[Aggregate]:
        """The aggregates of a name, or of all."""
        with self._lock:
            return [
                each for each in self._kept if (not name or each.name == name) and start_ns <= each.start_ns < end_ns
            ]
