"""Tells people how incidents go on. What is told follows from the timeline, so nothing is forgotten over a crash."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_core.alerting.severity import Severity
from spanglass_server.incidents.lifecycle import Status
from spanglass_server.incidents.ports import IncidentNotFoundError
from spanglass_server.incidents.words import listed, took
from spanglass_server.notifications.desk import Announcement

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from spanglass_server.incidents.config.model import IncidentSettings
    from spanglass_server.incidents.model import Incident, Recorded
    from spanglass_server.incidents.ports import IncidentStore

_BATCH = 200
#: Kinds of lines that are told, with their words and what a message about them is.
_TOLD: Mapping[str, str] = {
    "opened": "Incident",
    "raised": "Incident worse",
    "relapsed": "Incident relapsed",
    "reopened": "Incident reopened",
    "acknowledged": "Incident acknowledged",
    "overdue": "Incident overdue",
    "recovered": "Incident recovered",
    "resolved": "Incident resolved",
    "dismissed": "Incident dismissed",
}
_OVER = frozenset({"resolved", "dismissed"})


class Announcer:
    """``step`` is called again and again by one thread; ``tell`` keeps an announcement of a known key only once."""

    def __init__(
        self,
        store: IncidentStore,
        settings: Callable[[], IncidentSettings],
        tell: Callable[[Announcement], object],
    ) -> None:
        self._store = store
        self._settings = settings
        self._tell = tell
        self._version = -1  # of the store, all of whose lines are told

    def has_news(self) -> bool:
        """Whether ``step`` may find anything to tell."""
        return self._version != self._store.version()

    def step(self) -> None:
        """Tell of all lines that were not told of."""
        version = self._store.version()
        while lines := self._store.lines_after(self._store.announced(), _BATCH):
            for recorded in lines:
                if recorded.line.kind in _TOLD:
                    self._announce(recorded)
            self._store.told(lines[-1].cursor)
        self._version = version

    def _announce(self, recorded: Recorded) -> None:
        try:
            incident = self._store.incident(recorded.incident_id)
        except IncidentNotFoundError:
            return
        self._tell(announcement(recorded, incident, self._settings()))


def announcement(recorded: Recorded, incident: Incident, settings: IncidentSettings) -> Announcement:
    """What is told of one line: of an incident that takes too long, the channels for that are told too."""
    kind = recorded.line.kind
    channels = incident.channels or settings.channels
    if kind == "overdue":
        channels = tuple(dict.fromkeys((*channels, *settings.escalate)))
    return Announcement(
        key=f"incident:{recorded.cursor}:{incident.id}:{incident.opened_ns}",
        thread=f"incident:{incident.id}:{incident.opened_ns}",
        title=f"{_TOLD[kind]} {incident.id}: {incident.title}",
        text="\n".join(_sentences(recorded, incident)),
        severity=Severity(recorded.line.severity) if recorded.line.severity else incident.severity,
        status="resolved" if kind in _OVER else "info" if kind == "acknowledged" else "firing",
        link=f"/incidents/{incident.id}",
        channels=channels,
        why=f"incident {incident.id} {kind}",
    )


def _sentences(recorded: Recorded, incident: Incident) -> list[str]:
    line = recorded.line
    by = f"{line.by}: " if line.by not in ("", "server") else ""
    found = [f"{by}{line.text}"] if line.text else [f"by {line.by}"] if by else []
    if incident.services:
        found.append(f"Services: {listed(incident.services, 8)}")
    if incident.alert_count:
        found.append(f"Alerts: {incident.alert_count}, {incident.open_count} open")
    if line.kind in {"opened", "overdue", "relapsed"}:
        found.append(f"Severity: {incident.severity}")
    if incident.lead:
        found.append(f"Lead: {incident.lead}")
    if line.kind in {"recovered", *_OVER}:
        found += _times(incident)
    if line.kind == "resolved" and incident.resolution:
        found.append(f"How it ended: {incident.resolution}")
    return found


def _times(incident: Incident) -> list[str]:
    found = []
    if incident.acknowledged_ns:
        found.append(f"Acknowledged after {took(incident.acknowledged_ns - incident.opened_ns)}")
    if incident.recovered_ns and incident.status is not Status.DISMISSED:
        found.append(f"Recovered after {took(incident.recovered_ns - incident.started_ns)}")
    if incident.resolved_ns:
        found.append(f"Over after {took(incident.resolved_ns - incident.opened_ns)}")
    return found
