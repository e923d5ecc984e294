"""What was made of parts that never change, kept for the next question, up to a number of bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable

T = TypeVar("T")

DEFAULT_BYTES = 256 << 20
#: Of the memory that queries may use a server keeps what was decoded in this part, besides.
CACHE_SHARE = 4


class PartCache:
    """Values by key; those not asked for longest go first. Thread-safe; one for all sessions of a process.

    A value must be right for its key for ever. What is made of one part has the part's key (``store.ports.Part``) in
    its own, in second place.
    """

    def __init__(self, max_bytes: int = DEFAULT_BYTES) -> None:
        self.max_bytes = max_bytes
        self._lock = threading.Lock()
        self._held: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self.bytes = 0

    def kept(self, key: Hashable, make: Callable[[], T], size: Callable[[T], int]) -> T:
        """Return the value of a key, made if it is not there; two threads may both make it."""
        held = self.get(key)
        if held is not None:
            return held  # type: ignore[no-any-return]
        value = make()
        self.put(key, value, size(value))
        return value

    def get(self, key: Hashable) -> Any:
        """Return the value of a key, None if it is not there."""
        with self._lock:
            held = self._held.get(key)
            if held is None:
                return None
            self._held.move_to_end(key)
            return held[0]

    def has(self, key: Hashable) -> bool:
        """Whether there is a value, which is not thereby asked for."""
        with self._lock:
            return key in self._held

    def put(self, key: Hashable, value: Any, size: int) -> None:
        """Keep a value of so many bytes, in the place of the one before."""
        if size > self.max_bytes // 2:  # it would push out all others, to go with the next one itself
            return
        with self._lock:
            self.bytes += size - self._held.pop(key, (None, 0))[1]
            self._held[key] = (value, size)
            while self.bytes > self.max_bytes:
                _, (_, freed) = self._held.popitem(last=False)
                self.bytes -= freed

    def forget_all_but(self, parts: Collection[tuple[str, int]]) -> None:
        """Let go what was made of parts that are not there any more; nobody will ask for it."""
        with self._lock:
            gone = [key for key in self._held if _is_of_part(key) and key[1] not in parts]  # type: ignore[index]
            for key in gone:
                self.bytes -= self._held.pop(key)[1]


def _is_of_part(key: Hashable) -> bool:
    match key:
        case (_, ("segment" | "chunk", _), *_):
            return True
    return False
