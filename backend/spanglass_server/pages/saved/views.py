"""The page of saved views: the shared ones, and those of the reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.pages.saved.navigation import href

if TYPE_CHECKING:
    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit


async def show(visit: Visit) -> Response:
    """``/views``."""
    found = (await visit.api("views", owner=visit.reader))["views"]
    views = [{**view, "href": href(visit, view["url"])} for view in found]
    return visit.page("saved/views.html", views=views)
