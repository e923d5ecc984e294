"""What follows for an incident from its alerts: how bad it is, what it is about, whether it has recovered; pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from spanglass_core.alerting.lifecycle import OPEN as OPEN_ALERTS
from spanglass_core.alerting.lifecycle import Status as AlertStatus
from spanglass_server.alerting.store.filters import host_of, joining_service_of
from spanglass_server.incidents.lifecycle import Status
from spanglass_server.incidents.model import ALERT, SERVER, Held, Line, Member
from spanglass_server.incidents.words import took

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from spanglass_server.alerting.model import Alert, Entry
    from spanglass_server.incidents.model import Incident

#: Entries of alerts' histories that say nothing about an incident.
_LEFT_OUT = frozenset({"evidence", "pending", "cancelled"})


def member_of(alert: Alert, because: str, now_ns: int) -> Member:
    """An alert as a part of an incident."""
    return refreshed(
        Member(
            alert_id=alert.id,
            because=because,
            joined_ns=now_ns,
            title=alert.title,
            severity=alert.severity,
            status=alert.status,
            firing=alert.firing,
            created_ns=alert.created_ns,
            rule_uid=alert.rule_uid,
            rule_name=alert.rule_name,
            fingerprint=alert.fingerprint,
        ),
        alert,
    )


def refreshed(member: Member, alert: Alert) -> Member:
    """The same with the alert as it is now."""
    return replace(
        member,
        title=alert.title,
        severity=alert.severity,
        status=alert.status,
        firing=alert.firing,
        acknowledged_ns=alert.acknowledged_ns,
        ended_ns=alert.resolved_ns,
        service=joining_service_of(alert),
        host=host_of(alert),
        part_of=alert.part_of,
        runbook=alert.runbook,
        owner=alert.owner,
    )


def lines_of(alert_id: str, history: Iterable[Entry]) -> list[Line]:
    """What an alert's history has for a timeline."""
    return [
        Line(entry.time_ns, ALERT + entry.kind, entry.by, entry.text, entry.severity, alert_id)
        for entry in history
        if entry.kind not in _LEFT_OUT
    ]


def settled(held: Held, now_ns: int) -> tuple[Incident, list[Line]]:
    """An incident as its alerts have it, and what is to be told of that.

    Severity only rises by itself; an incident recovers when the last of its alerts is over, and relapses when one opens
    after that. Alerts that were all dismissed were no incident.
    """
    incident, present = held.incident, held.present
    after = replace(
        incident,
        alert_count=len(present),
        open_count=sum(member.status in OPEN_ALERTS for member in present),
        last_ns=max((member.created_ns for member in present), default=incident.last_ns),
        services=_distinct(member.service for member in present),
        hosts=_distinct(member.host for member in present),
        rules=_distinct(member.rule_uid for member in present),
    )
    if present and not incident.started_by:
        after = replace(after, started_ns=min(member.created_ns for member in present))
    after, raised = _raised(after, present, now_ns)
    after, ended = _ended(after, present, now_ns)
    return after, [*raised, *ended]


def _distinct(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value))


def _raised(incident: Incident, present: Sequence[Member], now_ns: int) -> tuple[Incident, list[Line]]:
    counted = [member.severity for member in present if member.status is not AlertStatus.DISMISSED]
    worst = max(counted, key=lambda severity: severity.rank, default=incident.severity)
    if incident.severity_by or worst.rank <= incident.severity.rank:
        return incident, []
    line = Line(now_ns, "raised", SERVER, f"from {incident.severity} to {worst}", worst)
    return replace(incident, severity=worst, updated_ns=now_ns), [line]


def _ended(incident: Incident, present: Sequence[Member], now_ns: int) -> tuple[Incident, list[Line]]:
    if incident.status in {Status.OPEN, Status.ACKNOWLEDGED} and present and not incident.open_count:
        if all(member.status is AlertStatus.DISMISSED for member in present):
            over = replace(incident, status=Status.DISMISSED, resolved_ns=now_ns, resolved_by=SERVER, updated_ns=now_ns)
            return over, [Line(now_ns, "dismissed", SERVER, "all of its alerts were dismissed")]
        last_ns = max(member.ended_ns for member in present)
        after = took(last_ns - incident.started_ns)
        line = Line(last_ns, "recovered", SERVER, f"the last of its alerts is over, {after} after the first began")
        return replace(incident, status=Status.RECOVERED, recovered_ns=last_ns, updated_ns=now_ns), [line]
    if incident.status is Status.RECOVERED:
        again = [each for each in present if each.status in OPEN_ALERTS and each.created_ns > incident.recovered_ns]
        if again:
            status = Status.ACKNOWLEDGED if incident.acknowledged_ns else Status.OPEN
            line = Line(again[0].created_ns, "relapsed", SERVER, again[0].title, again[0].severity, again[0].alert_id)
            return replace(incident, status=status, recovered_ns=0, updated_ns=now_ns), [line]
    return incident, []
