"""Back-pressure by bytes: how much all requests together may hold, from their first byte until they are stored."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from spanglass_server.ingest.ports import IngestError, Refusal

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self


class ByteBudget:
    """The bytes that requests under way hold; one for all receivers of a server. Thread-safe."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.held_bytes = 0
        self._lock = threading.Lock()

    def take(self, size_bytes: int) -> None:
        """Hold more, or fewer where negative; IngestError (OVERLOADED) where all together would be too many."""
        with self._lock:
            if size_bytes > 0 and self.held_bytes + size_bytes > self.max_bytes:
                raise IngestError(
                    Refusal.OVERLOADED,
                    f"requests under way hold {self.held_bytes} of {self.max_bytes} bytes "
                    "(setting ingest.max_inflight_bytes); send again later, or with fewer senders at once",
                )
            self.held_bytes += size_bytes


class Reservation:
    """What one request holds of a budget, until ``release`` or the end of its ``with`` block."""

    def __init__(self, budget: ByteBudget, size_bytes: int = 0) -> None:
        self._budget = budget
        self._bytes = 0
        self.grow_to(size_bytes)

    def grow_to(self, size_bytes: int) -> None:
        """Hold ``size_bytes`` in all; fewer than are held already change nothing. IngestError (OVERLOADED)."""
        if size_bytes > self._bytes:
            self._budget.take(size_bytes - self._bytes)
            self._bytes = size_bytes

    def transfer(self, size_bytes: int) -> Reservation:
        """Move what is held to a reservation of ``size_bytes``, for whoever takes the request on; this one is empty."""
        if size_bytes != self._bytes:
            self._budget.take(size_bytes - self._bytes)
        self._bytes = 0
        moved = Reservation(self._budget)
        moved._bytes = size_bytes
        return moved

    def release(self) -> None:
        """Hold nothing any more."""
        held, self._bytes = self._bytes, 0
        if held:
            self._budget.take(-held)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()
