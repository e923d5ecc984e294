"""The API of notifications on a server for a whole module."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from described_answers import described_by
from notified_world import World
from starlette.applications import Starlette

from spanglass_server.api.factory import create_api
from spanglass_server.api.notifications.routes import notification_routes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return what the routes of the test work with."""
    return World(tmp_path)


@pytest.fixture
def client(world: World, standing_server: Callable[[Any], httpx.Client]) -> httpx.Client:
    """Return a client of the routes; answers have their schemas."""
    routes = notification_routes(world.desk, world.book, world.alerts.store)
    api = create_api(
        routes,
        engine=SimpleNamespace(run=_run),  # type: ignore[arg-type] # a runner of queries
        clock_ns=world.clock_ns,
        authorize=lambda _: None,
        deadline_s=7.5,
        version="1",
    )
    made = standing_server(Starlette(routes=api))
    made.event_hooks = {"response": [described_by(routes)]}
    return made


async def _run(query: Callable[[Any], Any], *, deadline_s: float) -> Any:
    del deadline_s
    return query(None)
