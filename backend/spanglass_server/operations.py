"""Routes for those who run the server: health, readiness, its own counters, and the status for the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route as PlainRoute

from spanglass_core.times import format_time
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import ANYTHING, table
from spanglass_server.exposition import prometheus_text, status_counters
from spanglass_server.signals import Signal
from spanglass_server.telemetry import JOURNAL_BYTES, UPTIME_SECONDS

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from spanglass_server.storage_node import StorageNode
    from spanglass_server.telemetry import Telemetry

_SERVICE_UNAVAILABLE = 503


def operation_routes(node: StorageNode, telemetry: Telemetry) -> list[BaseRoute]:
    """``/healthz`` (is it well?), ``/readyz`` (can it take records?) and ``/metrics`` (Prometheus text)."""

    async def healthz(_: Request) -> Response:
        problem = node.ingest.health
        if problem is None:
            return JSONResponse({"status": "ok"})
        return JSONResponse({"status": "unhealthy", "problem": problem}, _SERVICE_UNAVAILABLE)

    async def metrics(_: Request) -> Response:
        return PlainTextResponse(prometheus_text(telemetry.snapshot()), media_type="text/plain; version=0.0.4")

    return [
        PlainRoute("/healthz", healthz),
        PlainRoute("/readyz", healthz),
        PlainRoute("/metrics", metrics),
    ]


def status_route(node: StorageNode, telemetry: Telemetry, version: str) -> Route:
    """``GET /api/v1/status``."""

    def status(_: object) -> dict[str, Any]:
        problem = node.ingest.health
        counters = status_counters(telemetry.snapshot())
        return {
            "version": version,
            "ready": problem is None,
            "health": problem,
            "uptime_s": counters[UPTIME_SECONDS.name]["total"],
            "counters": counters,
            "storage": {**_storage(node), "journal_bytes": counters[JOURNAL_BYTES.name]["total"]},
        }

    return Route(
        path="/status", summary="The server's health, counters and storage.", response=table(ANYTHING), reply=status
    )


def _storage(node: StorageNode) -> dict[str, Any]:
    picture = node.store.contents.picture
    held = {str(signal): picture.segments[signal] for signal in Signal}
    return {
        "segments": {signal: len(segments) for signal, segments in held.items()},
        "rows": {signal: sum(s.rows for s in segments) for signal, segments in held.items()},
        "bytes": {signal: sum(s.bytes for s in segments) for signal, segments in held.items()},
        "buffer_rows": {str(signal): sum(c.rows for c in picture.chunks[signal]) for signal in Signal},
        "oldest_time": {
            signal: format_time(min(s.min_time_ns for s in segments)) for signal, segments in held.items() if segments
        },
    }
