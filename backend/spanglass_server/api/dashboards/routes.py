"""All routes about dashboards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.api.dashboards.keeping import keeping_routes

if TYPE_CHECKING:
    from spanglass_server.api.routing import Route
    from spanglass_server.dashboards.library import Library


def dashboard_routes(library: Library) -> tuple[Route, ...]:
    """Return all routes about dashboards."""
    return keeping_routes(library)
