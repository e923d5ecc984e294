"""Measurements that the application's thread only notes down, and the collecting thread records.

Recording in the SDK takes 3 us, noting down 0.1 us. Nothing is lost: what finds the notes full is recorded at once.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from spanglass.runtime_metrics.groups import Attributes, Reading

    Record: TypeAlias = Callable[[float, Attributes], None]

#: A collection cycle records so many in 0.1 s.
MOST = 20_000


class Deferred:
    """Notes of (method of an instrument, value, attributes); attributes must not change afterwards."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._notes: deque[tuple[Record, float, Attributes]] = deque()

    def __call__(self, record: Record, value: float, attributes: Attributes) -> None:
        """Note a measurement down."""
        if len(self._notes) < self._most:
            self._notes.append((record, value, attributes))
        else:
            record(value, attributes)

    def drain(self) -> Iterable[Reading]:
        """Record what is noted down; as a collector it has nothing to add."""
        for _ in range(len(self._notes)):
            record, value, attributes = self._notes.popleft()
            record(value, attributes)
        return ()

    def after_fork(self) -> None:
        """Leave the parent's notes to the parent."""
        self._notes.clear()
