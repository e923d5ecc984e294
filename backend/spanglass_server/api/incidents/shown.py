"""Incidents as the API shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.api.alerting.shown import time_or_none
from spanglass_server.incidents.lifecycle import LEGAL, Status
from spanglass_server.times import NS_PER_SECOND, format_time

if TYPE_CHECKING:
    from spanglass_server.api.incidents import answers
    from spanglass_server.incidents.desk import IncidentDesk
    from spanglass_server.incidents.model import Incident, Line, Member
    from spanglass_server.incidents.similar import Similar

#: Lines of a timeline, and alerts, that one answer has: of a storm of alerts there are tens of thousands.
MOST_LINES, MOST_ALERTS = 1000, 500


def incident_json(incident: Incident) -> answers.IncidentJson:
    """Write one incident."""
    return {
        "id": incident.id,
        "title": incident.title,
        "summary": incident.summary,
        "severity": incident.severity.value,
        "status": incident.status.value,
        "possible": [status.value for status in Status if status in LEGAL[incident.status]],
        "source": incident.source,
        "opened_by": incident.opened_by,
        "services": list(dict.fromkeys((*incident.named, *incident.services))),
        "hosts": list(incident.hosts),
        "rules": list(incident.rules),
        "alert_count": incident.alert_count,
        "open_count": incident.open_count,
        "lead": incident.lead,
        "responders": list(incident.responders),
        "started_at": format_time(incident.started_ns),
        "opened_at": format_time(incident.opened_ns),
        "updated_at": format_time(incident.updated_ns),
        "acknowledged_at": time_or_none(incident.acknowledged_ns),
        "acknowledged_by": incident.acknowledged_by or None,
        "recovered_at": time_or_none(incident.recovered_ns),
        "resolved_at": time_or_none(incident.resolved_ns),
        "resolved_by": incident.resolved_by or None,
        "overdue_at": time_or_none(incident.overdue_ns),
        "durations": durations(incident),
        "cause": incident.cause,
        "resolution": incident.resolution,
        "channels": list(incident.channels),
        "runbooks": list(incident.runbooks),
        "merged_into": incident.merged_into or None,
    }


def durations(incident: Incident) -> answers.Durations:
    """How long things took."""
    return {
        "detect": max(incident.opened_ns - incident.started_ns, 0) / NS_PER_SECOND,
        "acknowledge": _since(incident.acknowledged_ns, incident.opened_ns),
        "recover": _since(incident.recovered_ns, incident.started_ns),
        "resolve": _since(incident.resolved_ns, incident.opened_ns),
    }


def _since(time_ns: int, since_ns: int) -> float | None:
    return max(time_ns - since_ns, 0) / NS_PER_SECOND if time_ns else None


def incident_page(desk: IncidentDesk, incident: Incident, past: list[Similar]) -> answers.IncidentPage:
    """Write one incident with all that is known of it."""
    members = [member for member in desk.store.members(incident.id) if not member.left]
    lines = desk.store.timeline(incident.id, limit=MOST_LINES)
    return {
        **incident_json(incident),
        "alerts": [member_json(member) for member in members[:MOST_ALERTS]],
        "steps": [
            {
                "number": number,
                "text": step.text,
                "origin": step.origin,
                "done_at": time_or_none(step.done_ns),
                "done_by": step.done_by or None,
            }
            for number, step in enumerate(incident.steps, start=1)
        ],
        "timeline": [line_json(line) for line in lines],
        "similar": [similar_json(each) for each in past],
        "has_postmortem": bool(incident.postmortem),
    }


def member_json(member: Member) -> answers.MemberJson:
    """Write an alert of an incident."""
    return {
        "id": member.alert_id,
        "title": member.title,
        "severity": member.severity.value,
        "status": member.status.value,
        "firing": member.firing,
        "service": member.service or None,
        "host": member.host or None,
        "rule": member.rule_uid,
        "rule_name": member.rule_name,
        "created_at": format_time(member.created_ns),
        "ended_at": time_or_none(member.ended_ns),
        "because": member.because,
    }


def line_json(line: Line) -> answers.LineJson:
    """Write a line of a timeline."""
    return {
        "time": format_time(line.time_ns),
        "kind": line.kind,
        "by": line.by,
        "text": line.text,
        "severity": line.severity or None,
        "alert": line.alert_id or None,
    }


def similar_json(found: Similar) -> answers.SimilarJson:
    """Write a past incident."""
    incident = found.incident
    return {
        "id": incident.id,
        "title": incident.title,
        "severity": incident.severity.value,
        "status": incident.status.value,
        "opened_at": format_time(incident.opened_ns),
        "likeness": found.likeness,
        "why": found.why,
        "cause": incident.cause,
        "resolution": incident.resolution,
        "recover": durations(incident)["recover"],
    }
