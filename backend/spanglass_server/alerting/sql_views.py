"""Alerts and thresholds as readers' SQL sees them: ``monitoring_alerts`` and ``monitoring_thresholds``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from spanglass_server.alerting.in_force import in_force
from spanglass_server.alerting.ports import AlertFilter
from spanglass_server.alerting.store.filters import host_of, service_of
from spanglass_server.store.offered_tables import FLAG, NUMBER, TEXT, TIME, WHOLE, KeptTable, table_of
from spanglass_server.store.ports import OfferedTable

if TYPE_CHECKING:
    from spanglass_server.alerting.in_force import InForce
    from spanglass_server.alerting.model import Alert
    from spanglass_server.alerting.ports import AlertStore, RuleBook
    from spanglass_server.store.offered_tables import Columns

#: The label in which an alert that was made by hand or by an application keeps its type.
TYPE_LABEL = "alert_type"
#: The newest alerts that SQL sees: a day of a million would be a storm, and 400 MB.
MOST_ALERTS = 1_000_000

_NS_PER_S = 10**9


def alert_type(alert: Alert) -> str:
    """The type: the rule that raised an alert, what its maker called it, or where it came from."""
    return alert.rule_uid or alert.labels.get(TYPE_LABEL, "") or alert.source


def details(alert: Alert) -> dict[str, Any]:
    """What tells an alert apart, as JSON has it."""
    return {
        "key": dict(alert.key),
        "labels": dict(alert.labels),
        "channels": list(alert.channels),
        "fingerprint": alert.fingerprint,
    }


_ALERTS: Columns[Alert] = {
    "id": (TEXT, lambda alert: alert.id),
    "alert_type": (TEXT, alert_type),
    "severity": (TEXT, lambda alert: alert.severity.value),
    "status": (TEXT, lambda alert: alert.status.value),
    "details": (TEXT, lambda alert: orjson.dumps(details(alert)).decode()),
    "created_at": (TIME, lambda alert: alert.created_ns),
    "resolved_at": (TIME, lambda alert: alert.resolved_ns or None),
    "resolved_by": (TEXT, lambda alert: alert.resolved_by or None),
    "title": (TEXT, lambda alert: alert.title),
    "description": (TEXT, lambda alert: alert.description),
    "source": (TEXT, lambda alert: alert.source),
    "rule": (TEXT, lambda alert: alert.rule_uid or None),
    "rule_name": (TEXT, lambda alert: alert.rule_name or None),
    "service": (TEXT, lambda alert: service_of(alert) or None),
    "host": (TEXT, lambda alert: host_of(alert) or None),
    "firing": (FLAG, lambda alert: alert.firing),
    "value": (NUMBER, lambda alert: alert.value),
    "unit": (TEXT, lambda alert: alert.unit),
    "count": (WHOLE, lambda alert: alert.count),
    "priority": (WHOLE, lambda alert: alert.priority),
    "owner": (TEXT, lambda alert: alert.owner),
    "runbook": (TEXT, lambda alert: alert.runbook),
    "part_of": (TEXT, lambda alert: alert.part_of or None),
    "updated_at": (TIME, lambda alert: alert.updated_ns),
    "acknowledged_at": (TIME, lambda alert: alert.acknowledged_ns or None),
    "acknowledged_by": (TEXT, lambda alert: alert.acknowledged_by or None),
}
_THRESHOLDS: Columns[InForce] = {
    "id": (TEXT, lambda row: row.rule_uid),
    "metric_type": (TEXT, lambda row: row.metric_type),
    "warning_threshold": (NUMBER, lambda row: row.warning),
    "critical_threshold": (NUMBER, lambda row: row.critical),
    "duration": (WHOLE, lambda row: row.for_ns // _NS_PER_S),
    "enabled": (FLAG, lambda row: row.enabled),
    "updated_by": (TEXT, lambda row: row.updated_by or None),
    "updated_at": (TIME, lambda row: row.updated_ns or None),
    "rule_name": (TEXT, lambda row: row.rule_name),
    "error_threshold": (NUMBER, lambda row: row.error),
    "recovery_threshold": (NUMBER, lambda row: row.recovery),
    "unit": (TEXT, lambda row: row.unit),
}


def sql_views(book: RuleBook, store: AlertStore) -> dict[str, OfferedTable]:
    """The two views by name."""
    alerts = KeptTable(_ALERTS, store, lambda: store.alerts(AlertFilter(), limit=MOST_ALERTS))
    return {
        "monitoring_alerts": OfferedTable(alerts, {"id": "UUID", "part_of": "UUID", "details": "JSON"}),
        "monitoring_thresholds": OfferedTable(lambda: table_of(_THRESHOLDS, _thresholds(book))),
    }


def _thresholds(book: RuleBook) -> list[InForce]:
    kept = {each.rule_uid: each for each in book.thresholds()}
    rules = sorted(book.rules().items())
    return [in_force(found.rule, kept.get(uid)) for uid, found in rules]
