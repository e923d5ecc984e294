"""Alerts as the API shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_core.alerting.lifecycle import LEGAL, Status
from spanglass_server.alerting.sql_views import alert_type
from spanglass_server.alerting.store.filters import host_of, service_of
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spanglass_server.alerting.model import Alert, Entry
    from spanglass_server.api.alerting import answers

NOTE = "note"


def alert_json(alert: Alert) -> answers.AlertJson:
    """Write one alert."""
    return {
        "id": alert.id,
        "alert_type": alert_type(alert),
        "rule": alert.rule_uid,
        "rule_name": alert.rule_name,
        "title": alert.title,
        "description": alert.description,
        "severity": alert.severity.value,
        "status": alert.status.value,
        "possible": [status.value for status in Status if status in LEGAL[alert.status]],
        "source": alert.source,
        "service": service_of(alert) or None,
        "host": host_of(alert) or None,
        "firing": alert.firing,
        "value": alert.value,
        "unit": alert.unit,
        "count": alert.count,
        "priority": alert.priority,
        "owner": alert.owner,
        "runbook": alert.runbook,
        "part_of": alert.part_of or None,
        "created_at": format_time(alert.created_ns),
        "updated_at": format_time(alert.updated_ns),
        "acknowledged_at": time_or_none(alert.acknowledged_ns),
        "acknowledged_by": alert.acknowledged_by or None,
        "resolved_at": time_or_none(alert.resolved_ns),
        "resolved_by": alert.resolved_by or None,
        "details": {
            "key": dict(alert.key),
            "labels": dict(alert.labels),
            "channels": list(alert.channels),
            "fingerprint": alert.fingerprint,
        },
    }


def alert_page(alert: Alert, history: Iterable[Entry]) -> answers.AlertPage:
    """Write one alert with all that is known of it."""
    entries = list(history)
    return {
        **alert_json(alert),
        "history": [entry_json(entry) for entry in entries],
        "notes": [note_json(entry) for entry in entries if entry.kind == NOTE],
        "evidence": dict(alert.evidence),
    }


def entry_json(entry: Entry) -> answers.EntryJson:
    """Write a line of a history."""
    return {
        "time": format_time(entry.time_ns),
        "kind": entry.kind,
        "by": entry.by,
        "text": entry.text,
        "severity": entry.severity or None,
        "value": entry.value,
    }


def note_json(entry: Entry) -> answers.Note:
    """Write a note."""
    return {"time": format_time(entry.time_ns), "by": entry.by, "text": entry.text}


def time_or_none(time_ns: int) -> str | None:
    """A time as text; 0 stands for none."""
    return format_time(time_ns) if time_ns else None
