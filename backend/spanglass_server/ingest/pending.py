"""Records that are acknowledged and not yet columns: shredded together when there are enough, or at once for a query.

Shredding costs 10 ms a call whatever it holds. So a few records wait for more, unless somebody asks: ten requests a
second of ten spans, shredded five times a second, spent two thirds of their processor time on that.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from spanglass_server.ingest.decoding.checked import one_by_one
from spanglass_server.ingest.waiting import Waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from spanglass_server.ingest.shredding import Shredding
    from spanglass_server.ingest.waiting import Key, Part
    from spanglass_server.signals import Signal

_LOG = logging.getLogger(__name__)

#: Shredded together at most: 1.1 kB a span while decoded.
_BATCH_BYTES = 8 << 20
#: From so many bytes on, about a thousand spans, records wait for ``_SOON_S`` at most: a query has little left to do.
_SOON_BYTES = 1 << 20
_SOON_S = 0.2
#: The longest that fewer wait. Alert rules ask every 15 s, and have them shredded then.
_LATEST_S = 16.0
_MEMORY_FAILURES_MAX = 5  # in a row with one part alone: then it is the part that asks for too much
_LOOK_EVERY_S = 0.05  # for a stop, while another thread shreds


class Pending:
    """The records waiting to be shredded into the store's memory, by generation and signal. Thread-safe."""

    def __init__(self, shredding: Shredding, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._shredding = shredding
        self._monotonic_s = monotonic_s
        self._since_s = 0.0  # nothing that waits came before
        self._waiting = Waiting()
        self._changed = threading.Condition(self._waiting.lock)
        self._closing = False
        self._turn = threading.Lock()  # one thread shreds
        self._settled = 0  # so many parts, the first that were added, are in the store
        self._memory_failures = 0

    def add(self, generation: int, decoded: Sequence[Part]) -> None:
        """Take records whose requests are in the journal."""
        with self._changed:
            before = self.size_bytes
            self._waiting.add(generation, decoded)
            if not before:
                self._since_s = self._monotonic_s()
            if not before or before < _SOON_BYTES <= self.size_bytes:
                self._changed.notify_all()

    @property
    def size_bytes(self) -> int:
        """Size of what waits."""
        return self._waiting.size_bytes

    def wait_for_room(self, most_bytes: int, seconds: float) -> None:
        """Return once so many bytes wait at most, after so many seconds, or when nobody shreds any more."""
        if self.size_bytes > most_bytes:
            with self._changed:
                self._changed.wait_for(lambda: self._closing or self.size_bytes <= most_bytes, seconds)

    def bytes_of(self, signal: Signal) -> int:
        """Size of what waits of a signal."""
        return self._waiting.bytes_of(signal)

    def rows_of(self, signal: Signal) -> int:
        """How many records of a signal wait."""
        return self._waiting.rows_of(signal)

    @property
    def damaged(self) -> set[int]:
        """Generations of which some records could not be shredded."""
        return self._shredding.damaged

    def step(self) -> bool:
        """Wait until something has to be shredded, and do it; False once ``close`` was called. For one thread."""
        with self._changed:
            self._changed.wait_for(lambda: self._closing or self.size_bytes)
            while (left_s := self._soon_in_s()) > 0:
                self._changed.wait(left_s)
            self._changed.wait_for(lambda: self._closing, _SOON_S)
            if self._closing:
                return False
        self.settle()
        return True

    def _soon_in_s(self) -> float:
        """How long what waits may wait for more, before ``_SOON_S``. It came after what a query had shredded last."""
        if self._closing or self.size_bytes >= _SOON_BYTES:
            return 0.0
        return self._since_s + _LATEST_S - _SOON_S - self._monotonic_s()

    def close(self) -> None:
        """Have ``step`` return False; what waits is left to the last flush."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    def settle(self, stopped: Callable[[], bool] = lambda: False) -> None:
        """Shred everything that was added before the call, and no more: it ends while others add.

        Where another thread has just done that, what came meanwhile is left to wait for more. Returns early once
        ``stopped`` returns True. Raises ``MemoryError``; what is left then waits for the next call.
        """
        wanted = self._waiting.added
        while not self._turn.acquire(timeout=_LOOK_EVERY_S):
            if stopped():
                return
        try:
            if self._settled < wanted:
                self._settle(stopped)
        finally:
            self._turn.release()

    def _settle(self, stopped: Callable[[], bool]) -> None:
        """Shred what waits, in its turn."""
        self._since_s, added = self._monotonic_s(), self._waiting.added
        with self._waiting.due() as due:
            if all(self._shred_all(key, parts, stopped) for key, parts in due.items()):
                self._settled = added  # what came between the two lines above is shredded too, and asked for again

    def may_be_of(self, trace_ids: Collection[bytes]) -> bool:
        """Whether a record that was added before the call, and is not in the store yet, may be of one of some traces.

        False only if none is.
        """
        return self._waiting.may_be_of(trace_ids)

    def forget(self, generation: int) -> None:
        """Drop what was kept for a generation that is in segments now."""
        self._shredding.forget(generation)
        self._waiting.forget(generation)

    def _shred_all(self, key: Key, parts: list[Part], stopped: Callable[[], bool]) -> bool:
        """Shred parts in batches, and take them from the list as they are done; False if it was stopped."""
        alone = 0  # how many are shredded one by one, because they failed together
        while parts:
            if stopped():
                return False
            if alone:
                parts[:1] = each = one_by_one(parts[0])
                alone += len(each) - 1
            batch = parts[:1] if alone else _batch(parts)
            if self._shred(key, batch):
                del parts[: len(batch)]
                alone = max(0, alone - 1)
            else:
                alone = len(batch)
        return True

    def _shred(self, key: Key, parts: Sequence[Part]) -> bool:
        """Shred parts together; False if that fails and they are several, of which one alone may be at fault."""
        generation, signal = key
        try:
            self._shredding.store(generation, signal, parts)
        except Exception as error:  # one bad record may not stop the others
            if len(parts) > 1 or len(one_by_one(parts[0])) > 1:
                return False
            if isinstance(error, MemoryError) and self._memory_failures < _MEMORY_FAILURES_MAX:
                self._memory_failures += 1
                raise
            _LOG.exception("%d %s can't be shredded; they stay in the journal's file", parts[0].row_count, signal)
            self.damaged.add(generation)
        self._memory_failures = 0
        self._waiting.stored(parts)
        with self._changed:
            self._changed.notify_all()
        return True


def _batch(parts: list[Part]) -> list[Part]:
    """The first parts, of one form, as many as are shredded together."""
    size = taken = 0
    while taken < len(parts) and size < _BATCH_BYTES and parts[taken].form is parts[0].form:
        size += parts[taken].size_bytes
        taken += 1
    return parts[:taken]
