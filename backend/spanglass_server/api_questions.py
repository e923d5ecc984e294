"""Questions that pages and reports ask of the API in this process: their addresses, and several at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Awaitable

API: Final = "/api/v1"


def address(*path: str, api: str = API) -> str:
    """Return a path below ``api`` as it stands in a URL: each of its parts is encoded, slashes too."""
    return "/".join((api, *(quote(part, safe="") for part in path)))


async def together(*questions: Awaitable[Any]) -> list[Any]:
    """Return the answers of several questions, asked at once; the first error, or cancelling, stops the others."""
    tasks = [asyncio.ensure_future(question) for question in questions]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
