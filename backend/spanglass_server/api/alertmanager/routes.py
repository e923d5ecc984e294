"""Everything below ``/alertmanager``: the table of routes, and what Starlette serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import BaseRoute
from starlette.routing import Route as StarletteRoute

from spanglass_server.api.alertmanager.alerts import alert_routes
from spanglass_server.api.alertmanager.endpoint import PREFIX, ROOT, AlertmanagerRoute, Endpoint, failed
from spanglass_server.api.alertmanager.silences import silence_routes
from spanglass_server.api.alertmanager.status import status_routes
from spanglass_server.api.nowhere import Beside, with_others

if TYPE_CHECKING:
    from spanglass_server.alerting.posted import PostedAlerts
    from spanglass_server.api.endpoint import Context
    from spanglass_server.notifications.desk import NotificationDesk


def create_alertmanager_api(
    context: Context, desk: NotificationDesk, posted: PostedAlerts, version: str
) -> list[BaseRoute]:
    """Everything below ``/alertmanager``: the routes, and errors in Alertmanager's shape for all other paths."""
    routes: tuple[AlertmanagerRoute, ...] = (
        *alert_routes(desk, posted),
        *silence_routes(desk),
        *status_routes(desk, version, context.clock_ns()),
    )
    served = [StarletteRoute(route.full_path, Endpoint(route, context), methods=[route.method]) for route in routes]
    beside = Beside(context.authorize, failed, f"Alertmanager's API is below {PREFIX}")
    return with_others(ROOT, served, beside)
