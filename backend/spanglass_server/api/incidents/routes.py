"""All routes about incidents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.api.incidents.incidents import incident_routes
from spanglass_server.api.incidents.reporting import report_route
from spanglass_server.api.incidents.responding import responding_routes

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    from spanglass_server.api.routing import Route
    from spanglass_server.incidents.desk import IncidentDesk


def all_incident_routes(desk: IncidentDesk, alerts: Callable[[], pa.Table]) -> tuple[Route, ...]:
    """Return them; ``alerts`` gives the table ``monitoring_alerts``, of which the report tells too."""
    return (*incident_routes(desk), *responding_routes(desk), report_route(desk, alerts))
