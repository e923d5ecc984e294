"""Alerts of an application's ``AlertManager`` on the server, over its API."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from spanglass.clock import Clock
from spanglass.monitoring.manager import AlertManager
from spanglass.monitoring.rules import AlertRule

if TYPE_CHECKING:
    import httpx


def test_alerts_of_an_application_are_on_the_server_too(client: httpx.Client) -> None:
    """They are raised there with all that is known of them, counted as one, and resolved when the rule says so."""
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

    assert {name: fired[name] for name in ("title", "severity", "status", "source", "host", "alert_type", "value")} == {
        "title": "Errors: error_rate > 5%, is 0.1",
        "severity": "critical",
        "status": "active",
        "source": "checkout",
        "host": "w1",
        "alert_type": "threshold",
        "value": 0.1,
    }
    assert (resolved["id"], resolved["status"], resolved["resolved_by"]) == (fired["id"], "resolved", "rule")
    assert manager.alerts()[0].server_id == fired["id"]
