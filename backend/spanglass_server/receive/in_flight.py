"""Back-pressure by bytes: how much all requests together may hold before ingest has taken it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.receive.status import Reason, RequestRefusedError

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self


class InFlight:
    """Bytes held by the requests under way; one for all receivers of a server. Not for use from several threads."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.held_bytes = 0


class Share:
    """What one request holds, given back when its ``with`` block ends."""

    def __init__(self, in_flight: InFlight) -> None:
        self._in_flight = in_flight
        self._bytes = 0

    def grow_to(self, size_bytes: int) -> None:
        """Hold ``size_bytes`` in all; less than is held already changes nothing.

        Raises ``RequestRefusedError`` (OVERLOADED) when all requests together would hold too much.
        """
        more = size_bytes - self._bytes
        if more <= 0:
            return
        if self._in_flight.held_bytes + more > self._in_flight.max_bytes:
            raise RequestRefusedError(
                Reason.OVERLOADED,
                f"requests under way hold {self._in_flight.held_bytes} of {self._in_flight.max_bytes} bytes; "
                "send again later, or with fewer senders at once",
            )
        self._in_flight.held_bytes += more
        self._bytes = size_bytes

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._in_flight.held_bytes -= self._bytes
        self._bytes = 0
