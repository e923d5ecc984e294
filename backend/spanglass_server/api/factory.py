"""From the tables of routes to what Starlette serves, with the answers for paths that are no route."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import BaseRoute
from starlette.routing import Route as StarletteRoute

from spanglass_core.model_prices import Prices
from spanglass_server.api.endpoint import Context, Endpoint, failure
from spanglass_server.api.errors import problem_of
from spanglass_server.api.nowhere import Beside, Nowhere
from spanglass_server.api.openapi import describe_api
from spanglass_server.api.performance import differences, operations, profiles, self_time, service_map
from spanglass_server.api.prometheus.describing import described_paths
from spanglass_server.api.routes import (
    costs,
    coverage,
    exports,
    facets,
    filter_check,
    hosts,
    logs,
    metrics,
    monitoring,
    running,
    services,
    spans,
    sql,
    traces,
)
from spanglass_server.api.routing import PREFIX, Route
from spanglass_server.api.schema import ANYTHING, table
from spanglass_server.api.use import tasks, users
from spanglass_server.query.costs.pricing import CostTerms

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.requests import HTTPConnection

    from spanglass_server.api.endpoint import QueryRunner


def plain_routes(prices: Prices, cost_terms: CostTerms | None = None) -> tuple[Route, ...]:
    """All routes that need only a session, gathered from the modules that answer them."""
    return (
        *services.ROUTES,
        traces.COMPARE,
        *traces.ROUTES,
        *traces.span_routes(prices),
        *spans.ROUTES,
        *differences.ROUTES,
        *operations.ROUTES,
        *self_time.ROUTES,
        *profiles.ROUTES,
        *service_map.ROUTES,
        *running.ROUTES,
        *logs.ROUTES,
        *facets.ROUTES,
        *filter_check.ROUTES,
        *metrics.ROUTES,
        *monitoring.ROUTES,
        *hosts.ROUTES,
        *users.ROUTES,
        *tasks.ROUTES,
        *coverage.ROUTES,
        *costs.cost_routes(cost_terms or CostTerms()),
        *sql.ROUTES,
        *exports.ROUTES,
    )


#: The same for those who have no table of prices.
ROUTES: tuple[Route, ...] = plain_routes(Prices())


def create_api(
    routes: Sequence[Route],
    *,
    engine: QueryRunner,
    clock_ns: Callable[[], int],
    authorize: Callable[[HTTPConnection], None],
    deadline_s: float,
    version: str,
) -> list[BaseRoute]:
    """Everything below ``/api``: the routes given, their description, and JSON errors for all other paths.

    ``authorize`` is called before anything else and raises ``ApiError`` with ``unauthorized`` or ``forbidden`` for a
    request that may not read. ``deadline_s`` holds for each query.
    """
    context = Context(engine, clock_ns, authorize, deadline_s)
    described = [*routes, _description(routes, version)]
    served = [StarletteRoute(route.full_path, Endpoint(route, context), methods=[route.method]) for route in described]
    # "/api" itself and every path below it; after the routes, so that it gets what they leave
    beside = Beside(authorize, lambda error: failure(problem_of(error)), f"{PREFIX}/openapi.json lists all routes")
    nowhere = Nowhere(beside, tuple(served))
    return [*served, StarletteRoute("/api", nowhere), StarletteRoute("/api/{rest:path}", nowhere)]


def _description(routes: Sequence[Route], version: str) -> Route:
    """Make the route that serves the document of all routes, itself included."""
    described: list[Route] = [*routes]
    route = Route(
        path="/openapi.json",
        summary="This API, described in OpenAPI 3.1.",
        response=table(ANYTHING),
        reply=lambda _: describe_api(described, version, described_paths()),
    )
    described.append(route)
    return route
