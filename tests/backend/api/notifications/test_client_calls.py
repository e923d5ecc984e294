"""The Python client's calls about notifications, asked of the API itself."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from spanglass.client import AsyncMonitoringClient, MonitoringClient, NotFoundError, RequestError
from spanglass_core.alerting.severity import Severity
from spanglass_server.alerting.desk import NewAlert

if TYPE_CHECKING:
    import httpx
    from notified_world import World


def test_calls_about_notifications(world: World, client: httpx.Client) -> None:
    """Silences are made and ended under a name, deliveries listed, and it is said who hears and who is on call."""
    slow = world.alerts.create(NewAlert(title="Slow", severity=Severity.ERROR, labels={"service": "shop"}), "test")
    world.desk.test("mail", "ann")
    url = str(client.base_url)
    with MonitoringClient(url, by="deploy") as monitoring:
        assert monitoring.explain_alert(slow.id).channels == ("mail",)
        made = monitoring.create_silence('service="shop"', "2h", "release 2.1")
        assert (made.created_by, made.ends_at, made.hides) == ("deploy", datetime(2026, 1, 5, 10, tzinfo=UTC), 1)
        assert monitoring.get_silences() == (made,)
        assert monitoring.explain_alert({"service": "shop"}, "error").muted == "silence"
        assert monitoring.end_silence(made.id, by="Jörg").comment == "release 2.1 (ended by Jörg)"
        assert monitoring.get_silences() == ()
        (delivery,) = monitoring.get_deliveries({"state": ["sent", "failed"], "channel": "mail"}).deliveries
        assert (delivery.title, delivery.state, delivery.reason) == ("Test message", "sent", "test")
        with pytest.raises(RequestError, match="matchers"):
            monitoring.create_silence(["team="], "2h", "all of them")
        with pytest.raises(NotFoundError):
            monitoring.end_silence("nothing")

    async def ask() -> tuple[str | None, ...]:
        async with AsyncMonitoringClient(url) as monitoring:
            (rota,) = await monitoring.get_on_call("2026-01-06T12:00:00Z")
            return rota.rota, rota.person, rota.next_person

    assert asyncio.run(ask()) == ("db", "ann", "bob")
