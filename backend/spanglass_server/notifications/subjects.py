"""Alerts as routing sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_core.alerting.lifecycle import OPEN, Status
from spanglass_server.alerting.posted import SOURCE as POSTED
from spanglass_server.alerting.store.filters import service_of
from spanglass_server.notifications.model import Subject

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.alerting.model import Alert


def subject_of(alert: Alert, default_channels: Sequence[str] = ()) -> Subject:
    """The subject of an alert; ``default_channels`` are those of alerts that name none.

    Labels of ours win over labels of the alert with the same name, so that a route by severity means ours. Only an
    alert without a rule may bring its own ``alertname``, and one that a client of Alertmanager has posted brings all.
    """
    labels = {**dict(alert.key), **alert.labels}
    own = {
        "alertname": alert.rule_name or labels.get("alertname", "") or alert.title,
        "rule": alert.rule_uid,
        "severity": str(alert.severity),
        "source": alert.source,
        "service": service_of(alert),
        "owner": alert.owner,
    }
    found = {name: value for name, value in own.items() if value}
    is_over = alert.status not in OPEN
    return Subject(
        alert_id=alert.id,
        fingerprint=alert.fingerprint,
        labels={**found, **labels} if alert.source == POSTED else {**labels, **found},
        severity=alert.severity,
        title=alert.title,
        starts_ns=alert.created_ns,
        ends_ns=(alert.resolved_ns or alert.updated_ns) if is_over else 0,
        acknowledged=alert.status is Status.ACKNOWLEDGED,
        channels=alert.channels or tuple(default_channels),
    )
