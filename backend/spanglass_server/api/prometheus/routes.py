"""Everything below ``/prometheus``: the table of routes, and what Starlette serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import BaseRoute
from starlette.routing import Route as StarletteRoute

from spanglass_server.api.nowhere import Beside, with_others
from spanglass_server.api.prometheus import discovery, queries
from spanglass_server.api.prometheus.endpoint import Context, Endpoint, failed
from spanglass_server.api.prometheus.routing import PREFIX, ROOT, PrometheusRoute
from spanglass_server.api.prometheus.rules import rule_routes
from spanglass_server.api.prometheus.status import status_routes

if TYPE_CHECKING:
    from spanglass_server.api.prometheus.rules import Told
    from spanglass_server.api.prometheus.status import Targets


def routes_of(version: str, told: Told, targets: Targets = tuple) -> tuple[PrometheusRoute, ...]:
    """All routes, gathered from the modules that answer them."""
    return (*queries.ROUTES, *discovery.ROUTES, *rule_routes(told), *status_routes(version, targets))


def create_prometheus_api(context: Context, version: str, told: Told, targets: Targets = tuple) -> list[BaseRoute]:
    """Everything below ``/prometheus``: the routes, and errors in Prometheus' shape for all other paths."""
    served = [
        StarletteRoute(route.full_path, Endpoint(route, context), methods=list(route.methods))
        for route in routes_of(version, told, targets)
    ]
    beside = Beside(context.authorize, failed, f"Prometheus' API is below {PREFIX}")
    return with_others(ROOT, served, beside)
