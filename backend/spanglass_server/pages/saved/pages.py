"""The pages of saved views and of pinned traces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.pages.saved.navigation import href

if TYPE_CHECKING:
    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit


async def show_views(visit: Visit) -> Response:
    """``/views``: the shared ones, and those of the reader."""
    found = (await visit.api("views", owner=visit.reader))["views"]
    views = [{**view, "href": href(visit, view["url"])} for view in found]
    return visit.page("saved/views.html", views=views)


async def show_pins(visit: Visit) -> Response:
    """``/pinned``: all of them, or those that have the text ``q``."""
    text = visit.param("q")
    found = await visit.api("pins", text=text)
    return visit.page("saved/pins.html", found=found, text=text)
