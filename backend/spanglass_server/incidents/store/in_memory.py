"""The incident store in memory: for tests, and for what need not outlive the process."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from spanglass_server.incidents.model import Held, Recorded
from spanglass_server.incidents.ports import IncidentNotFoundError
from spanglass_server.incidents.store.filters import matches
from spanglass_server.incidents.store.rows import id_of, number_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from spanglass_core.alerting.severity import Severity
    from spanglass_server.incidents.lifecycle import Status
    from spanglass_server.incidents.model import Incident, Line, Member, Turn
    from spanglass_server.incidents.ports import IncidentFilter


class MemoryIncidentStore:
    """An ``IncidentStore`` in dictionaries, gone with the process."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._incidents: dict[str, Incident] = {}
        self._members: dict[str, tuple[str, Member]] = {}  # by the alert's id, with the incident's; "": deleted
        self._lines: list[Recorded] = []
        self._known: set[tuple[str, Line]] = set()  # lines about alerts, each once
        self._number = self._line = self._cursor = self._announced = self._version = 0

    def cursor(self) -> int:
        """See ``IncidentStore``."""
        return self._cursor

    def announced(self) -> int:
        """See ``IncidentStore``."""
        return self._announced

    def take(self, cursor: int, turns: Sequence[Turn], version: int) -> bool:
        """See ``IncidentStore``."""
        with self._lock:
            if turns and self._version != version:
                return False
            self._cursor = cursor
            if turns:
                self._put_all(turns)
            return True

    def told(self, cursor: int) -> None:
        """See ``IncidentStore``."""
        self._announced = cursor

    def open(self, turn: Turn) -> Incident:
        """See ``IncidentStore``."""
        with self._lock:
            return self._put_all([turn])[0]

    def change(self, ids: Sequence[str], work: Callable[[Sequence[Held]], Sequence[Turn]]) -> Sequence[Incident]:
        """See ``IncidentStore``."""
        with self._lock:
            return self._put_all(work([Held(self.incident(each), tuple(self.members(each))) for each in ids]))

    def _put_all(self, turns: Sequence[Turn]) -> list[Incident]:
        self._version += 1
        return [self._put(turn) for turn in turns]

    def _put(self, turn: Turn) -> Incident:
        incident = turn.incident
        if not incident.id:
            self._number += 1
            incident = replace(incident, id=id_of(self._number))
        self._incidents[incident.id] = incident
        self._members.update({member.alert_id: (incident.id, member) for member in turn.members})
        for line in turn.lines:
            told = (incident.id, replace(line, severity=""))
            if line.alert_id and told in self._known:
                continue
            self._known.add(told)
            self._line += 1
            self._lines.append(Recorded(self._line, incident.id, line))
        return incident

    def incident(self, incident_id: str) -> Incident:
        """See ``IncidentStore``."""
        with self._lock:
            if incident_id not in self._incidents:
                raise IncidentNotFoundError(incident_id)
            return self._incidents[incident_id]

    def _matching(self, wanted: IncidentFilter) -> list[Incident]:
        found = [each for each in self._incidents.values() if matches(wanted, each, self._alerts(each.id))]
        return sorted(found, key=_place, reverse=True)

    def _alerts(self, incident_id: str) -> set[str]:
        return {alert for alert, (place, member) in self._members.items() if place == incident_id and not member.left}

    def incidents(self, wanted: IncidentFilter, *, limit: int, after: str = "") -> Sequence[Incident]:
        """See ``IncidentStore``."""
        with self._lock:
            found = self._matching(wanted)
            if after:
                last = _place(self.incident(after))
                found = [each for each in found if _place(each) < last]
            return found[:limit]

    def counts(self, wanted: IncidentFilter) -> Mapping[tuple[Status, Severity], int]:
        """See ``IncidentStore``."""
        with self._lock:
            found = self._matching(replace(wanted, statuses=(), severities=()))
        return Counter((each.status, each.severity) for each in found)

    def members(self, incident_id: str) -> Sequence[Member]:
        """See ``IncidentStore``."""
        with self._lock:
            self.incident(incident_id)
            found = [member for place, member in self._members.values() if place == incident_id]
        return sorted(found, key=lambda member: (member.created_ns, member.alert_id))

    def held(self, alert_ids: Sequence[str]) -> Mapping[str, str]:
        """See ``IncidentStore``."""
        with self._lock:
            found = {each: self._members[each] for each in alert_ids if each in self._members}
        return {alert: place for alert, (place, member) in found.items() if place and not member.left}

    def left(self) -> frozenset[str]:
        """See ``IncidentStore``."""
        with self._lock:
            return frozenset(alert for alert, (place, member) in self._members.items() if member.left or not place)

    def timeline(self, incident_id: str, *, limit: int) -> Sequence[Line]:
        """See ``IncidentStore``."""
        with self._lock:
            self.incident(incident_id)
            found = [recorded for recorded in self._lines if recorded.incident_id == incident_id]
        found.sort(key=lambda recorded: (recorded.line.time_ns, recorded.cursor))
        return [recorded.line for recorded in found[-limit:]]

    def lines_after(self, cursor: int, limit: int) -> Sequence[Recorded]:
        """See ``IncidentStore``."""
        with self._lock:
            return [recorded for recorded in self._lines if recorded.cursor > cursor][:limit]

    def delete(self, incident_id: str) -> None:
        """See ``IncidentStore``."""
        with self._lock:
            self.incident(incident_id)
            for alert, (place, member) in self._members.items():
                if place == incident_id:
                    self._members[alert] = ("", member)
            self._drop({incident_id})

    def purge(self, before_ns: int) -> int:
        """See ``IncidentStore``."""
        with self._lock:
            over = {each.id for each in self._incidents.values() if not each.is_live and each.resolved_ns < before_ns}
            self._members = {
                alert: (place, member)
                for alert, (place, member) in self._members.items()
                if place not in over and (place or member.created_ns >= before_ns)
            }
            return self._drop(over)

    def _drop(self, ids: set[str]) -> int:
        self._version += 1
        for each in ids:
            del self._incidents[each]
        self._lines = [recorded for recorded in self._lines if recorded.incident_id not in ids]
        return len(ids)

    def version(self) -> int:
        """See ``IncidentStore``."""
        return self._version

    def close(self) -> None:
        """Nothing is to be released."""


def _place(incident: Incident) -> tuple[int, int]:
    return incident.opened_ns, number_of(incident.id)
