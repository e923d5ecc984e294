"""All routes about alerts and rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.api.alerting.alerts import alert_routes

if TYPE_CHECKING:
    from spanglass_server.alerting.desk import Desk
    from spanglass_server.api.routing import Route


def alerting_routes(desk: Desk) -> tuple[Route, ...]:
    """Return all routes; those with words in the path come before those with an id there."""
    return alert_routes(desk)
