"""The routes about alerts and rules on a real socket, of a server that stands for a module."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from described_answers import described_by
from starlette.applications import Starlette

from spanglass_server.api.alerting.routes import alerting_routes
from spanglass_server.api.factory import create_api
from spanglass_server.promql.in_memory import SeriesInMemory
from spanglass_server.promql.notation import read_series

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from spanglass_server.alerting.desk import Desk

NOW_NS = 2_000 * 1_000_000_000
#: What is stored, for completion.
SERIES = SeriesInMemory(read_series([('orders_total{shop="a"}', "0+1x60")], 60_000))


class InPlace:
    """Runs questions where they are asked, over one session."""

    def __init__(self, session: Any = None) -> None:
        self.session = session

    async def run(self, query: Callable[[Any], Any], *, deadline_s: float) -> Any:
        """Run one question."""
        del deadline_s
        return query(self.session)


@pytest.fixture
def client(desk: Desk, standing_server: Callable[[Any], httpx.Client]) -> httpx.Client:
    """Return a client of the routes, each of whose answers has its schema."""
    routes = alerting_routes(desk, lambda _: SERIES)
    served = create_api(
        routes, engine=InPlace(), clock_ns=lambda: NOW_NS, authorize=lambda _: None, deadline_s=7.5, version="1"
    )
    made = standing_server(Starlette(routes=served))
    made.event_hooks = {"response": [described_by(routes)]}
    return made
