"""The page of pinned traces."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit


async def show(visit: Visit) -> Response:
    """``/pinned``: all of them, or those that have the text ``q``."""
    text = visit.param("q")
    found = await visit.api("pins", text=text)
    return visit.page("saved/pins.html", found=found, text=text)
