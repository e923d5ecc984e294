"""Alerts on the server: raised, acknowledged and resolved there too, over its API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass.client.errors import ConflictError, NotFoundError
from spanglass_core.alerting.lifecycle import Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass.client.client import AsyncMonitoringClient
    from spanglass.monitoring.alerts import Alert

__all__ = ["ServerAlerts"]


class ServerAlerts:
    """Tells a server of alerts; ``known`` is told the ids that the server gives them."""

    def __init__(self, client: AsyncMonitoringClient, known: Callable[[str, str], None]) -> None:
        self._client = client
        self._known = known

    @property
    def url(self) -> str:
        """The address of the server."""
        return self._client.url

    async def tell(self, alert: Alert) -> None:
        """Raise an alert that is open, resolve one that is over. Raises ``ClientError``."""
        if alert.is_open:
            made = await self._client.create_alert(alert.title, alert.severity.value, **_fields(alert))
            self._known(alert.id, made.id)
        elif alert.server_id:
            try:
                await self._client.resolve_alert(alert.server_id, by=alert.resolved_by, reason=_reason(alert))
            except (ConflictError, NotFoundError):  # somebody was quicker there
                return

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


def _fields(alert: Alert) -> dict[str, Any]:
    fields = {
        "description": alert.description,
        "labels": dict(alert.labels),
        "alert_type": alert.alert_type,
        "source": alert.source,
        "owner": alert.owner,
        "runbook": alert.runbook,
        "value": alert.value,
        "unit": alert.unit,
        "fingerprint": alert.fingerprint,
    }
    return {name: value for name, value in fields.items() if value not in (None, "", {})}


def _reason(alert: Alert) -> str:
    return "dismissed in the application" if alert.status is Status.DISMISSED else "its condition holds no more"
