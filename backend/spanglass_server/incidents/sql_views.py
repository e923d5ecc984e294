"""Incidents as readers' SQL sees them: ``monitoring_incidents``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa

from spanglass_server.incidents.ports import IncidentFilter
from spanglass_server.store.ports import OfferedTable
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from spanglass_server.incidents.model import Incident
    from spanglass_server.incidents.ports import IncidentStore

#: The newest incidents that SQL and reports see.
MOST_INCIDENTS = 100_000

_TIME = pa.timestamp("ns")
_TEXT, _NUMBER, _WHOLE = pa.string(), pa.float64(), pa.int64()


def _list(values: tuple[str, ...]) -> str:
    return orjson.dumps(values).decode()


def _seconds(time_ns: int, since_ns: int) -> float | None:
    return max(time_ns - since_ns, 0) / NS_PER_SECOND if time_ns else None


_INCIDENTS: Mapping[str, tuple[pa.DataType, Callable[[Incident], Any]]] = {
    "id": (_TEXT, lambda incident: incident.id),
    "title": (_TEXT, lambda incident: incident.title),
    "summary": (_TEXT, lambda incident: incident.summary),
    "severity": (_TEXT, lambda incident: incident.severity.value),
    "status": (_TEXT, lambda incident: incident.status.value),
    "source": (_TEXT, lambda incident: incident.source),
    "opened_by": (_TEXT, lambda incident: incident.opened_by),
    "services": (_TEXT, lambda incident: _list(tuple(dict.fromkeys((*incident.named, *incident.services))))),
    "hosts": (_TEXT, lambda incident: _list(incident.hosts)),
    "rules": (_TEXT, lambda incident: _list(incident.rules)),
    "alert_count": (_WHOLE, lambda incident: incident.alert_count),
    "open_count": (_WHOLE, lambda incident: incident.open_count),
    "lead": (_TEXT, lambda incident: incident.lead),
    "responders": (_TEXT, lambda incident: _list(incident.responders)),
    "started_at": (_TIME, lambda incident: incident.started_ns),
    "opened_at": (_TIME, lambda incident: incident.opened_ns),
    "updated_at": (_TIME, lambda incident: incident.updated_ns),
    "acknowledged_at": (_TIME, lambda incident: incident.acknowledged_ns or None),
    "acknowledged_by": (_TEXT, lambda incident: incident.acknowledged_by or None),
    "recovered_at": (_TIME, lambda incident: incident.recovered_ns or None),
    "resolved_at": (_TIME, lambda incident: incident.resolved_ns or None),
    "resolved_by": (_TEXT, lambda incident: incident.resolved_by or None),
    "overdue_at": (_TIME, lambda incident: incident.overdue_ns or None),
    "acknowledge_s": (_NUMBER, lambda incident: _seconds(incident.acknowledged_ns, incident.opened_ns)),
    "recover_s": (_NUMBER, lambda incident: _seconds(incident.recovered_ns, incident.started_ns)),
    "resolve_s": (_NUMBER, lambda incident: _seconds(incident.resolved_ns, incident.opened_ns)),
    "cause": (_TEXT, lambda incident: incident.cause),
    "resolution": (_TEXT, lambda incident: incident.resolution),
    "merged_into": (_TEXT, lambda incident: incident.merged_into or None),
}
#: DuckDB's types of the columns that hold lists.
_TYPES = dict.fromkeys(("services", "hosts", "rules", "responders"), "VARCHAR[]")


def sql_views(store: IncidentStore) -> dict[str, OfferedTable]:
    """The view by name."""
    return {"monitoring_incidents": OfferedTable(Incidents(store), _TYPES)}


class Incidents:
    """All incidents as a table, which is made anew when one has changed."""

    def __init__(self, store: IncidentStore) -> None:
        self._store = store
        self._made: tuple[int, pa.Table] | None = None

    def __call__(self) -> pa.Table:
        """The table as it is now."""
        version, made = self._store.version(), self._made
        if made is None or made[0] != version:
            listed = self._store.incidents(IncidentFilter(), limit=MOST_INCIDENTS)
            columns = {name: pa.array([read(row) for row in listed], kind) for name, (kind, read) in _INCIDENTS.items()}
            made = self._made = (version, pa.table(columns))
        return made[1]
