"""The JSON of Alertmanager's webhooks, version 4: what receivers made for Prometheus understand."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import orjson

from spanglass_core.alerting.lifecycle import OPEN
from spanglass_server.notifications.channels.webhook.body import MOST_ALERTS
from spanglass_server.notifications.subjects import subject_of
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.alerting.model import Alert
    from spanglass_server.notifications.model import Message

_NEVER = "0001-01-01T00:00:00Z"  # Go's zero time: the end of what goes on


def alertmanager_body(message: Message, base_url: str) -> bytes:
    """A message as JSON. What is no alert, such as a test, is one alert with its title."""
    alerts = [_alert(alert, base_url) for alert in message.alerts[:MOST_ALERTS]] or [_stand_in(message)]
    return orjson.dumps(
        {
            "version": "4",
            "groupKey": message.notification.thread,
            "truncatedAlerts": max(0, len(message.alerts) - MOST_ALERTS),
            "status": "resolved" if message.status == "resolved" else "firing",
            "receiver": message.notification.channel,
            "groupLabels": dict(message.notification.group_labels),
            "commonLabels": _common([alert["labels"] for alert in alerts]),
            "commonAnnotations": _common([alert["annotations"] for alert in alerts]),
            "externalURL": base_url,
            "alerts": alerts,
        }
    )


def _alert(alert: Alert, base_url: str) -> dict[str, Any]:
    is_open = alert.status in OPEN
    texts = {"summary": alert.title, "description": alert.description, "runbook_url": alert.runbook}
    return {
        "status": "firing" if is_open else "resolved",
        "labels": dict(subject_of(alert).labels),
        "annotations": {name: text for name, text in texts.items() if text},
        "startsAt": format_time(alert.created_ns),
        "endsAt": _NEVER if is_open else format_time(alert.resolved_ns or alert.updated_ns),
        "generatorURL": f"{base_url}/alerts/{alert.id}",
        "fingerprint": alert.fingerprint,
    }


def _stand_in(message: Message) -> dict[str, Any]:
    is_over = message.status == "resolved"
    created = format_time(message.notification.created_ns)
    title = str(message.notification.about.get("title", "")) or message.title  # the same when it is over
    return {
        "status": "resolved" if is_over else "firing",
        "labels": {
            "alertname": title,
            "severity": str(message.severity),
            "reason": str(message.notification.reason),
        },
        "annotations": {"summary": title, "description": message.text},
        "startsAt": created,
        "endsAt": created if is_over else _NEVER,
        "generatorURL": message.link,
        "fingerprint": hashlib.sha256(message.notification.thread.encode()).hexdigest()[:16],
    }


def _common(many: Sequence[Mapping[str, str]]) -> dict[str, str]:
    first, *others = many
    return {name: text for name, text in first.items() if all(other.get(name) == text for other in others)}
