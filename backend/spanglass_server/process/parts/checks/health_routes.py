"""Routes for those who run the server: health, readiness and its own counters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Match
from starlette.routing import Route as PlainRoute

from spanglass_server.access.browsers import FIGURES, wants_page
from spanglass_server.self_metrics.exposition import CONTENT_TYPE, prometheus_text

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute
    from starlette.types import Scope

    from spanglass_server.process.storage_node import StorageNode
    from spanglass_server.self_metrics.registry import Telemetry

_SERVICE_UNAVAILABLE = 503


class _ForScrapers(PlainRoute):
    """A route that leaves browsers to the page at the same address."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match what is no request for a page."""
        if scope["type"] == "http" and wants_page(scope):
            return Match.NONE, {}
        return super().matches(scope)


def operation_routes(node: StorageNode, telemetry: Telemetry) -> list[BaseRoute]:
    """``/healthz`` (is it well?), ``/readyz`` (can it take records?), ``/metrics`` (Prometheus text, for scrapers)."""

    def answer(problem: str | None) -> Response:
        if problem is None:
            return JSONResponse({"status": "ok"})
        return JSONResponse({"status": "unhealthy", "problem": problem}, _SERVICE_UNAVAILABLE)

    async def healthz(_: Request) -> Response:
        return answer("; ".join(node.problems) or None)

    async def readyz(_: Request) -> Response:
        return answer(node.ingest.health)

    async def metrics(_: Request) -> Response:
        return PlainTextResponse(prometheus_text(telemetry.snapshot()), media_type=CONTENT_TYPE)

    return [
        PlainRoute("/healthz", healthz),
        PlainRoute("/readyz", readyz),
        _ForScrapers(FIGURES, metrics),
    ]
