"""All routes about health."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.api.health.checks import check_routes
from spanglass_server.api.health.history import history_routes
from spanglass_server.api.health.whole import whole_routes

if TYPE_CHECKING:
    from spanglass_server.api.routing import Route
    from spanglass_server.health.desk import HealthDesk


def health_routes(desk: HealthDesk, *, status_page: bool = False) -> tuple[Route, ...]:
    """Return all routes; ``status_page`` is whether there is a public one."""
    return (*whole_routes(desk, status_page=status_page), *check_routes(desk), *history_routes(desk))
