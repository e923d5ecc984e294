"""Alerts on the server: raised, acknowledged and resolved there too, over its API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry import trace

from spanglass.client.errors import ConflictError, NotFoundError
from spanglass_core.alerting.fingerprints import digest_of
from spanglass_core.alerting.lifecycle import Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass.client.client import AsyncMonitoringClient
    from spanglass.monitoring.alerts import Alert

__all__ = ["ServerAlerts", "sender"]


#: The labels that the server knows services and hosts by, and where the resource has them.
_SENDER = {
    "service_name": "service.name",
    "host_name": "host.name",
    "deployment_environment_name": "deployment.environment.name",
}


class ServerAlerts:
    """Tells a server of alerts; ``known`` is told the ids that the server gives them.

    Alerts have the labels of this process's resource, and are told apart by service and host: the processes of a
    service on one host share their alerts.
    """

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


def sender() -> dict[str, str]:
    """Service, host and environment of this process as labels, as far as ``configure()`` has found them out."""
    attributes = getattr(getattr(trace.get_tracer_provider(), "resource", None), "attributes", None) or {}
    return {label: str(attributes[key]) for label, key in _SENDER.items() if attributes.get(key)}


def _fields(alert: Alert) -> dict[str, Any]:
    who = sender()
    fields = {
        "description": alert.description,
        "labels": {**who, **alert.labels},
        "alert_type": alert.alert_type,
        "source": alert.source,
        "owner": alert.owner,
        "runbook": alert.runbook,
        "value": alert.value,
        "unit": alert.unit,
        "fingerprint": digest_of("application", alert.source, sorted(who.items()), alert.fingerprint),
    }
    return {name: value for name, value in fields.items() if value not in (None, "", {})}


def _reason(alert: Alert) -> str:
    return "dismissed in the application" if alert.status is Status.DISMISSED else "its condition holds no more"
