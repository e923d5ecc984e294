"""The body of one HTTP request, read from ASGI under a size limit, a time limit and back-pressure."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from spanglass_server.ingest.ports import IngestError
from spanglass_server.receive.status import Reason, RequestRefusedError

if TYPE_CHECKING:
    from starlette.types import Receive

    from spanglass_server.ingest.budget import Reservation
    from spanglass_server.receive.compression import Body

#: Blocks of snappy from this size on are decompressed in a thread, so that other requests are answered meanwhile.
_THREAD_BYTES: Final = 4 << 10

#: After an early refusal the rest of the body is read and thrown away, within these bounds: closing with unread bytes
#: would reset the connection, and the client would see that instead of the answer.
_DISCARD_S: Final = 2.0
_DISCARD_BYTES: Final = 64 << 20


class ClientLeftError(Exception):
    """The client closed the connection before its body was complete: there is nobody to answer."""


class Upload:
    """One request's body; ``complete`` says whether its end has been read."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.complete = False

    async def read(self, body: Body, reservation: Reservation, *, timeout_s: float) -> bytes:
        """Read to the end and return what ``body`` makes of it, growing the reservation from piece to piece.

        Raises ``RequestRefusedError``: what ``Body`` raises, OVERLOADED past the budget, and SLOW after ``timeout_s``
        seconds. Raises ``ClientLeftError``.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while not self.complete:
                    piece = await self._next()
                    if body.compressed and len(piece) >= body.thread_bytes:
                        await asyncio.to_thread(body.feed, piece)
                    else:
                        body.feed(piece)
                    reservation.grow_to(body.held_bytes)
        except IngestError as error:
            raise RequestRefusedError.of_ingest(error) from None
        except TimeoutError:
            raise RequestRefusedError(
                Reason.SLOW, f"the body did not arrive within {timeout_s:g} s; send smaller batches"
            ) from None
        if body.wire_bytes >= _THREAD_BYTES and not body.compressed and body.held_bytes > body.wire_bytes:
            return await asyncio.to_thread(body.finish)  # a block of snappy, which is decompressed as a whole
        return body.finish()

    async def discard(self) -> None:
        """Read what is left of the body and drop it, up to a limit of bytes and time."""
        discarded_bytes = 0
        with suppress(TimeoutError, ClientLeftError):
            async with asyncio.timeout(_DISCARD_S):
                while not self.complete and discarded_bytes < _DISCARD_BYTES:
                    discarded_bytes += len(await self._next())

    async def _next(self) -> bytes:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise ClientLeftError
        self.complete = not message.get("more_body", False)
        piece: bytes = message.get("body", b"")
        return piece
