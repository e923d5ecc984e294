"""All routes of the API, gathered from the modules that answer them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spanglass_server.api.routing import Route

ROUTES: tuple[Route, ...] = ()
