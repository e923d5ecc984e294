"""The health service of gRPC (grpc.health.v1): SERVING as long as ingest takes records."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import OVERALL_HEALTH, aio

if TYPE_CHECKING:
    from collections.abc import Iterable

    import grpc

    from spanglass_server.ingest.ports import Ingest

_SERVING: Final = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING: Final = health_pb2.HealthCheckResponse.NOT_SERVING

#: How often those who watch are told; those who ask (Check) get the state of the moment.
_FOLLOW_EVERY_S: Final = 1.0


class Health(aio.HealthServicer):  # type: ignore[misc]  # the library has no type information
    """Health of the whole server and of each service, all the same: they share one ingest."""

    def __init__(self, ingest: Ingest, services: Iterable[str]) -> None:
        super().__init__()
        self._ingest = ingest
        self._names = (OVERALL_HEALTH, *services)
        self._following: asyncio.Task[None] | None = None

    def add_to(self, server: grpc.aio.Server) -> None:
        """Serve health checks."""
        health_pb2_grpc.add_HealthServicer_to_server(self, server)

    async def start(self) -> None:
        """Begin to follow ingest's health."""
        await self._follow_once()
        self._following = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        """Report NOT_SERVING for good."""
        if self._following is not None:
            self._following.cancel()
            with suppress(asyncio.CancelledError):
                await self._following
        await self.enter_graceful_shutdown()

    async def Check(self, request: Any, context: Any) -> Any:  # noqa: N802 - the name in the .proto
        """Answer with the state of the moment."""
        await self._follow_once()
        return await super().Check(request, context)

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(_FOLLOW_EVERY_S)
            await self._follow_once()

    async def _follow_once(self) -> None:
        state = _SERVING if self._ingest.health is None else _NOT_SERVING
        for name in self._names:
            await self.set(name, state)
