"""An incident while a look at the alerts is under way: what has come to it so far, and what it becomes by that."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from spanglass_server.incidents.changes import with_status
from spanglass_server.incidents.following import lines_of, member_of, refreshed, settled
from spanglass_server.incidents.lifecycle import Status
from spanglass_server.incidents.model import SERVER, Held, Line, Turn
from spanglass_server.incidents.running.matching import Place
from spanglass_server.incidents.running.opening import with_runbooks
from spanglass_server.incidents.words import took

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from spanglass_server.alerting.model import Alert, Entry
    from spanglass_server.incidents.config.model import IncidentSettings
    from spanglass_server.incidents.model import Incident, Member

#: Who acknowledges nothing by hand.
_NOBODY = frozenset({"", "rule", SERVER})


class Draft:
    """Collects what becomes of one incident. ``text_of`` gives the text of a runbook."""

    def __init__(self, held: Held, now_ns: int, text_of: Callable[[str], str]) -> None:
        self._held = held
        self._place: Place | None = None
        self._incident = held.incident
        self._members = {member.alert_id: member for member in held.members}
        self._now_ns = now_ns
        self._text_of = text_of
        self._changed: dict[str, Member] = {}
        self._lines: list[Line] = []

    @property
    def incident(self) -> Incident:
        """As it is so far, without what follows from its alerts."""
        return self._incident

    @property
    def place(self) -> Place:
        """What alerts are compared with; of thousands of alerts it takes milliseconds, so only when it is asked for."""
        if self._place is None:
            self._place = Place.of(self._held)
        return self._place

    def follow(self, alert: Alert, entries: Iterable[Entry]) -> None:
        """Take what happened to one of its alerts. Who acknowledges the alert has acknowledged the incident."""
        said = list(entries)
        self._put(refreshed(self._members[alert.id], alert))
        self._lines += lines_of(alert.id, said)
        for entry in said:
            if entry.kind == "acknowledged" and entry.by not in _NOBODY and self._incident.status is Status.OPEN:
                held = Held(self._incident, tuple(self._members.values()))
                turn = with_status(held, Status.ACKNOWLEDGED, entry.by, f"with its alert: {alert.title}", entry.time_ns)
                self._incident = turn.incident
                self._lines += turn.lines

    def join(self, alert: Alert, why: str, history: Iterable[Entry]) -> None:
        """Take an alert in, with what happened to it so far."""
        member = member_of(alert, why, self._now_ns)
        self.place.add(member)
        self._put(member)
        self._incident = with_runbooks(self._incident, [member], self._text_of)
        self._lines += lines_of(alert.id, history)
        self._lines.append(Line(self._now_ns, "joined", SERVER, why, alert.severity, alert.id))

    def _put(self, member: Member) -> None:
        self._members[member.alert_id] = self._changed[member.alert_id] = member

    def turn(self, settings: IncidentSettings) -> Turn | None:
        """What it becomes, None if nothing happens to it."""
        incident, lines = self._incident, self._lines
        if self._changed:
            incident, said = settled(Held(incident, tuple(self._members.values())), self._now_ns)
            incident, lines = replace(incident, updated_ns=self._now_ns), [*lines, *said]
        incident, said = in_time(incident, settings, self._now_ns)
        return Turn(incident, tuple(self._changed.values()), (*lines, *said)) if self._changed or said else None


def in_time(incident: Incident, settings: IncidentSettings, now_ns: int) -> tuple[Incident, list[Line]]:
    """What time makes of an incident: resolved when it has been quiet for long enough, overdue when it takes long.

    One that is resolved by itself was over when it recovered, however long it was watched.
    """
    going_on = incident.status in {Status.OPEN, Status.ACKNOWLEDGED}
    if going_on and settings.resolve_within_ns and not incident.overdue_ns:
        if now_ns < incident.opened_ns + settings.resolve_within_ns:
            return incident, []
        text = f"it has not recovered within {took(settings.resolve_within_ns)}"
        line = Line(now_ns, "overdue", SERVER, text, incident.severity)
        return replace(incident, overdue_ns=now_ns, updated_ns=now_ns), [line]
    is_quiet = incident.status is Status.RECOVERED and incident.source == "rule" and settings.resolve_after_ns
    if is_quiet and now_ns >= incident.recovered_ns + settings.resolve_after_ns:
        over = replace(
            incident, status=Status.RESOLVED, resolved_ns=incident.recovered_ns, resolved_by=SERVER, updated_ns=now_ns
        )
        return over, [Line(now_ns, "resolved", SERVER, f"by itself: quiet for {took(settings.resolve_after_ns)}")]
    return incident, []
