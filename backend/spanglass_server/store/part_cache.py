"""What was made of parts that never change, kept for the next question, up to a number of bytes."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable

T = TypeVar("T")

DEFAULT_BYTES = 256 << 20
#: Of the memory that queries may use a server keeps what was decoded in this part, besides.
CACHE_SHARE = 4
#: What was made of a part goes, full or not, when nobody has asked for it for so long: alert rules ask for what came in
#: the last minutes, and would fill the cache with all that ever came, 3 MB a minute of a demo's load.
UNUSED_S = 600.0


@dataclass(slots=True)
class _Held:
    """A value, its size, and when it was asked for last."""

    value: Any
    size: int
    asked_s: float


class PartCache:
    """Values by key; those not asked for longest go first. Thread-safe; one for all sessions of a process.

    A value must be right for its key for ever. What is made of one part has the part's key (``store.ports.Part``) in
    its own, in second place; what is made of several has all of theirs there.
    """

    def __init__(self, max_bytes: int = DEFAULT_BYTES, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self.max_bytes = max_bytes
        self._monotonic_s = monotonic_s
        self._lock = threading.Lock()
        self._held: OrderedDict[Hashable, _Held] = OrderedDict()
        self._parts: Collection[tuple[str, int]] | None = None  # those there were when last was tidied
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
            held.asked_s = self._monotonic_s()
            return held.value

    def has(self, key: Hashable) -> bool:
        """Whether there is a value, which is not thereby asked for."""
        with self._lock:
            return key in self._held

    def put(self, key: Hashable, value: Any, size: int) -> None:
        """Keep a value of so many bytes, in the place of the one before."""
        if size > self.max_bytes // 2:  # it would push out all others, to go with the next one itself
            return
        with self._lock:
            before = self._held.pop(key, None)
            self.bytes += size - (before.size if before is not None else 0)
            self._held[key] = _Held(value, size, self._monotonic_s())
            while self.bytes > self.max_bytes:
                _, first = self._held.popitem(last=False)
                self.bytes -= first.size

    def forget_all_but(self, parts: Collection[tuple[str, int]]) -> None:
        """Let go what was made of parts that are not there any more, or was not asked for lately (``UNUSED_S``).

        Takes 5 ms under a demo's load, and no time while parts are only added.
        """
        with self._lock:
            since_s = self._monotonic_s() - UNUSED_S
            before, self._parts = self._parts, parts
            oldest = next(iter(self._held.values()), None)
            is_any_gone = before is None or any(part not in parts for part in before)
            if not is_any_gone and (oldest is None or oldest.asked_s >= since_s):
                return
            passing = [(key, held.asked_s, _parts_of(key)) for key, held in self._held.items()]
            for key, asked_s, of in passing:
                if of is not None and (asked_s < since_s or any(part not in parts for part in of)):
                    self.bytes -= self._held.pop(key).size


def _parts_of(key: Hashable) -> tuple[Any, ...] | None:
    """The keys of the parts that a value was made of, as far as its key has them; None for what does not pass."""
    match key:
        case (_, ("segment" | "chunk", _) as part, *_):
            return (part,)
        case (_, (("segment" | "chunk", _), *_) as several, *_):
            return tuple(several)
    return None
