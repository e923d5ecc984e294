"""Incidents as readers' SQL sees them: ``monitoring_incidents``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from spanglass_server.incidents.ports import IncidentFilter
from spanglass_server.store.offered_tables import NUMBER, TEXT, TIME, WHOLE, KeptTable
from spanglass_server.store.ports import OfferedTable
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from spanglass_server.incidents.model import Incident
    from spanglass_server.incidents.ports import IncidentStore
    from spanglass_server.store.offered_tables import Columns

#: The newest incidents that SQL and reports see.
MOST_INCIDENTS = 100_000


def _list(values: tuple[str, ...]) -> str:
    return orjson.dumps(values).decode()


def _seconds(time_ns: int, since_ns: int) -> float | None:
    return max(time_ns - since_ns, 0) / NS_PER_SECOND if time_ns else None


_INCIDENTS: Columns[Incident] = {
    "id": (TEXT, lambda incident: incident.id),
    "title": (TEXT, lambda incident: incident.title),
    "summary": (TEXT, lambda incident: incident.summary),
    "severity": (TEXT, lambda incident: incident.severity.value),
    "status": (TEXT, lambda incident: incident.status.value),
    "source": (TEXT, lambda incident: incident.source),
    "opened_by": (TEXT, lambda incident: incident.opened_by),
    "services": (TEXT, lambda incident: _list(tuple(dict.fromkeys((*incident.named, *incident.services))))),
    "hosts": (TEXT, lambda incident: _list(incident.hosts)),
    "rules": (TEXT, lambda incident: _list(incident.rules)),
    "alert_count": (WHOLE, lambda incident: incident.alert_count),
    "open_count": (WHOLE, lambda incident: incident.open_count),
    "lead": (TEXT, lambda incident: incident.lead),
    "responders": (TEXT, lambda incident: _list(incident.responders)),
    "started_at": (TIME, lambda incident: incident.started_ns),
    "opened_at": (TIME, lambda incident: incident.opened_ns),
    "updated_at": (TIME, lambda incident: incident.updated_ns),
    "acknowledged_at": (TIME, lambda incident: incident.acknowledged_ns or None),
    "acknowledged_by": (TEXT, lambda incident: incident.acknowledged_by or None),
    "recovered_at": (TIME, lambda incident: incident.recovered_ns or None),
    "resolved_at": (TIME, lambda incident: incident.resolved_ns or None),
    "resolved_by": (TEXT, lambda incident: incident.resolved_by or None),
    "overdue_at": (TIME, lambda incident: incident.overdue_ns or None),
    "acknowledge_s": (NUMBER, lambda incident: _seconds(incident.acknowledged_ns, incident.opened_ns)),
    "recover_s": (NUMBER, lambda incident: _seconds(incident.recovered_ns, incident.started_ns)),
    "resolve_s": (NUMBER, lambda incident: _seconds(incident.resolved_ns, incident.opened_ns)),
    "cause": (TEXT, lambda incident: incident.cause),
    "resolution": (TEXT, lambda incident: incident.resolution),
    "merged_into": (TEXT, lambda incident: incident.merged_into or None),
}
#: DuckDB's types of the columns that hold lists.
_TYPES = dict.fromkeys(("services", "hosts", "rules", "responders"), "VARCHAR[]")


def sql_views(store: IncidentStore) -> dict[str, OfferedTable]:
    """The view by name."""
    return {"monitoring_incidents": OfferedTable(table_of_incidents(store), _TYPES)}


def table_of_incidents(store: IncidentStore) -> KeptTable:
    """All incidents as a table."""
    return KeptTable(_INCIDENTS, store, lambda: store.incidents(IncidentFilter(), limit=MOST_INCIDENTS))
