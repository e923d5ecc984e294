"""Alerts of an application's ``AlertManager`` on the server, over its API."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

from spanglass.clock import Clock
from spanglass.monitoring.manager import AlertManager
from spanglass.monitoring.rules import AlertRule
from spanglass.sdk import published
from spanglass.sdk.providers import Providers

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx


@pytest.fixture
def shop() -> Iterator[None]:
    """Telemetry of the service shop, configured for this test."""
    resource = Resource({"service.name": "shop", "host.name": "h1"})
    made = Providers(TracerProvider(resource=resource), MeterProvider([]), LoggerProvider())
    published.publish(made)
    yield
    published.take_back(made)
    made.tracer.shutdown()


@pytest.mark.usefixtures("shop")
def test_alerts_of_an_application_are_on_the_server_too(client: httpx.Client) -> None:
    """They are raised there, as of this service, with all that is known of them, and resolved when the rule says so."""
    now_ns = [1_000]
    clock = Clock(lambda: now_ns[0], lambda: now_ns[0])
    config = {"alerting": {"url": str(client.base_url).rstrip("/"), "source": "checkout"}}
    manager = AlertManager(config, clock=clock)
    manager.add_rule(AlertRule("Errors", "error_rate > 5%", "critical", labels={"team": "shop"}, runbook="https://r"))

    async def fire_and_resolve() -> list[str]:
        seen = []
        for error_rate in (0.1, 0.0):
            now_ns[0] += 60 * 10**9
            manager.check_metrics({"error_rate": error_rate}, {"host_name": "w1"})
            done = await manager.process_waiting()
            assert [error for each in done for error in each.errors] == []
            seen.append((await asyncio.to_thread(client.get, "/api/monitoring/alerts/")).json()["alerts"][0])
        await manager.close()
        return seen

    fired, resolved = asyncio.run(fire_and_resolve())

    assert {name: fired[name] for name in ("title", "severity", "status", "source", "service", "host", "priority")} == {
        "title": "Errors: error_rate > 5%, is 0.1",
        "severity": "critical",
        "status": "active",
        "source": "checkout",
        "service": "shop",
        "host": "w1",
        "priority": 80,
    }
    assert (fired["alert_type"], fired["value"], fired["details"]["labels"]["team"]) == ("threshold", 0.1, "shop")
    assert (resolved["id"], resolved["status"], resolved["resolved_by"]) == (fired["id"], "resolved", "rule")
    assert manager.alerts()[0].server_id == fired["id"]
