"""Notifications, attempts and alerts for tests."""

from __future__ import annotations

from spanglass_core.alerting.lifecycle import Status
from spanglass_core.alerting.severity import Severity
from spanglass_server.alerting.model import Alert
from spanglass_server.notifications.model import Attempt, Notification, Outcome, Reason


def alert(alert_id="a1", **changes):
    """Return an alert."""
    fields = {
        "id": alert_id,
        "rule_uid": "errors",
        "rule_name": "Errors of services",
        "fingerprint": f"f-{alert_id}",
        "key": (("service_name", "shop"),),
        "title": "Errors in shop",
        "description": "0.2 is above 0.05",
        "severity": Severity.WARNING,
        "status": Status.ACTIVE,
        "source": "rule",
        "labels": {"service_name": "shop"},
        "value": 0.2,
        "unit": "ratio",
        "created_ns": 100,
        "updated_ns": 100,
        "firing": True,
    }
    return Alert(**{**fields, **changes})


def told(notification_id="n1", channel="mail", **changes):
    """Return a notification about no alert."""
    fields = {"reason": Reason.FIRING, "thread": notification_id, "created_ns": 100}
    return Notification(id=notification_id, channel=channel, **{**fields, **changes})


def attempt(number=1, started_ns=200, **outcome):
    """Return an attempt of 10 ns that succeeded, unless the outcome says otherwise."""
    fields = {"sent": "error" not in outcome}
    return Attempt(number=number, started_ns=started_ns, latency_ns=10, outcome=Outcome(**{**fields, **outcome}))
