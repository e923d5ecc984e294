"""Work for a client that may leave before it is done."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from starlette.requests import Request

T = TypeVar("T")

#: Status of an answer that nobody gets: the client has left (nginx's number for it, which access logs know).
CLIENT_LEFT = 499


async def unless_client_left(request: Request, work: Awaitable[T]) -> T | None:
    """Wait for ``work`` and return its result; None, with the work cancelled, when the client disconnects first.

    The request's body must have been read. Raises what the work raises.
    """
    working: asyncio.Future[T] = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_disconnected(request))
    try:
        both: list[asyncio.Future[Any]] = [working, leaving]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        leaving.cancel()
        working.cancel()


async def _disconnected(request: Request) -> None:
    """Return when the client has gone away."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
