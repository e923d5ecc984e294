"""The JSON of our own webhooks, which commands read, too. docs/channels.md describes it; names only ever come to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from spanglass_server.notifications.subjects import subject_of
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from spanglass_server.alerting.model import Alert
    from spanglass_server.notifications.model import Message

VERSION = 1
#: Of a larger group the first are told, and how many are left out: receivers have limits, too.
MOST_ALERTS = 500


def message_body(message: Message, base_url: str) -> bytes:
    """A message as JSON."""
    notification = message.notification
    return orjson.dumps(
        {
            "version": VERSION,
            "id": notification.id,
            "thread": notification.thread,
            "reason": str(notification.reason),
            "status": message.status,
            "severity": str(message.severity),
            "title": message.title,
            "text": message.text,
            "link": message.link,
            "why": notification.why,
            "channel": notification.channel,
            "fallback_of": notification.fallback_of or None,
            "created_at": format_time(notification.created_ns),
            "group_labels": dict(notification.group_labels),
            "about": dict(notification.about),
            "actions": [{"label": action.label, "url": action.url} for action in message.actions],
            "alerts": [_alert(alert, base_url) for alert in message.alerts[:MOST_ALERTS]],
            "alerts_left_out": max(0, len(message.alerts) - MOST_ALERTS),
            "problem": message.problem or None,
        },
        default=str,
    )


def _alert(alert: Alert, base_url: str) -> dict[str, Any]:
    """One alert, in the names of the API."""
    return {
        "id": alert.id,
        "fingerprint": alert.fingerprint,
        "rule": alert.rule_uid,
        "rule_name": alert.rule_name,
        "title": alert.title,
        "description": alert.description,
        "severity": str(alert.severity),
        "status": str(alert.status),
        "source": alert.source,
        "labels": dict(subject_of(alert).labels),
        "value": alert.value,
        "unit": alert.unit,
        "count": alert.count,
        "priority": alert.priority,
        "owner": alert.owner,
        "runbook": alert.runbook,
        "link": f"{base_url}/alerts/{alert.id}",
        "created_at": format_time(alert.created_ns),
        "updated_at": format_time(alert.updated_ns),
        "acknowledged_at": _time(alert.acknowledged_ns),
        "acknowledged_by": alert.acknowledged_by or None,
        "resolved_at": _time(alert.resolved_ns),
        "resolved_by": alert.resolved_by or None,
        "evidence": dict(alert.evidence),
    }


def _time(time_ns: int) -> str | None:
    return format_time(time_ns) if time_ns else None
