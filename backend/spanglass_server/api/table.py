"""All routes of the API, gathered from the modules that answer them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.api import facets, filter_check, logs, metrics, running, services, spans, sql, traces

if TYPE_CHECKING:
    from spanglass_server.api.routing import Route

ROUTES: tuple[Route, ...] = (
    *services.ROUTES,
    *traces.ROUTES,
    *spans.ROUTES,
    *running.ROUTES,
    *logs.ROUTES,
    *facets.ROUTES,
    *filter_check.ROUTES,
    *metrics.ROUTES,
    *sql.ROUTES,
)
