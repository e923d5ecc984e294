"""Alerts and thresholds as readers' SQL sees them: ``monitoring_alerts`` and ``monitoring_thresholds``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa

from spanglass_server.alerting.in_force import in_force
from spanglass_server.alerting.ports import AlertFilter
from spanglass_server.alerting.store.filters import host_of, service_of
from spanglass_server.store.ports import OfferedTable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from spanglass_server.alerting.in_force import InForce
    from spanglass_server.alerting.model import Alert
    from spanglass_server.alerting.ports import AlertStore, RuleBook

#: The label in which an alert that was made by hand or by an application keeps its type.
TYPE_LABEL = "alert_type"
#: The newest alerts that SQL sees: a day of a million would be a storm, and 400 MB.
MOST_ALERTS = 1_000_000

_NS_PER_S = 10**9
_TIME = pa.timestamp("ns")
_TEXT, _NUMBER, _FLAG, _WHOLE = pa.string(), pa.float64(), pa.bool_(), pa.int64()


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


_ALERTS: Mapping[str, tuple[pa.DataType, Callable[[Alert], Any]]] = {
    "id": (_TEXT, lambda alert: alert.id),
    "alert_type": (_TEXT, alert_type),
    "severity": (_TEXT, lambda alert: alert.severity.value),
    "status": (_TEXT, lambda alert: alert.status.value),
    "details": (_TEXT, lambda alert: orjson.dumps(details(alert)).decode()),
    "created_at": (_TIME, lambda alert: alert.created_ns),
    "resolved_at": (_TIME, lambda alert: alert.resolved_ns or None),
    "resolved_by": (_TEXT, lambda alert: alert.resolved_by or None),
    "title": (_TEXT, lambda alert: alert.title),
    "description": (_TEXT, lambda alert: alert.description),
    "source": (_TEXT, lambda alert: alert.source),
    "rule": (_TEXT, lambda alert: alert.rule_uid or None),
    "rule_name": (_TEXT, lambda alert: alert.rule_name or None),
    "service": (_TEXT, lambda alert: service_of(alert) or None),
    "host": (_TEXT, lambda alert: host_of(alert) or None),
    "firing": (_FLAG, lambda alert: alert.firing),
    "value": (_NUMBER, lambda alert: alert.value),
    "unit": (_TEXT, lambda alert: alert.unit),
    "count": (_WHOLE, lambda alert: alert.count),
    "priority": (_WHOLE, lambda alert: alert.priority),
    "owner": (_TEXT, lambda alert: alert.owner),
    "runbook": (_TEXT, lambda alert: alert.runbook),
    "part_of": (_TEXT, lambda alert: alert.part_of or None),
    "updated_at": (_TIME, lambda alert: alert.updated_ns),
    "acknowledged_at": (_TIME, lambda alert: alert.acknowledged_ns or None),
    "acknowledged_by": (_TEXT, lambda alert: alert.acknowledged_by or None),
}
_THRESHOLDS: Mapping[str, tuple[pa.DataType, Callable[[InForce], Any]]] = {
    "id": (_TEXT, lambda row: row.rule_uid),
    "metric_type": (_TEXT, lambda row: row.metric_type),
    "warning_threshold": (_NUMBER, lambda row: row.warning),
    "critical_threshold": (_NUMBER, lambda row: row.critical),
    "duration": (_WHOLE, lambda row: row.for_ns // _NS_PER_S),
    "enabled": (_FLAG, lambda row: row.enabled),
    "updated_by": (_TEXT, lambda row: row.updated_by or None),
    "updated_at": (_TIME, lambda row: row.updated_ns or None),
    "rule_name": (_TEXT, lambda row: row.rule_name),
    "error_threshold": (_NUMBER, lambda row: row.error),
    "recovery_threshold": (_NUMBER, lambda row: row.recovery),
    "unit": (_TEXT, lambda row: row.unit),
}


def sql_views(book: RuleBook, store: AlertStore) -> dict[str, OfferedTable]:
    """The two views by name."""
    return {
        "monitoring_alerts": OfferedTable(_Alerts(store), {"id": "UUID", "part_of": "UUID", "details": "JSON"}),
        "monitoring_thresholds": OfferedTable(lambda: _thresholds(book), {}),
    }


class _Alerts:
    """All alerts as a table, which is made anew when one has changed."""

    def __init__(self, store: AlertStore) -> None:
        self._store = store
        self._made: tuple[int, pa.Table] | None = None

    def __call__(self) -> pa.Table:
        version, made = self._store.version(), self._made
        if made is None or made[0] != version:
            alerts = self._store.alerts(AlertFilter(), limit=MOST_ALERTS)
            made = self._made = (version, _table(_ALERTS, alerts))
        return made[1]


def _thresholds(book: RuleBook) -> pa.Table:
    kept = {each.rule_uid: each for each in book.thresholds()}
    rules = sorted(book.rules().items())
    return _table(_THRESHOLDS, [in_force(found.rule, kept.get(uid)) for uid, found in rules])


def _table(columns: Mapping[str, tuple[pa.DataType, Callable[[Any], Any]]], rows: Iterable[Any]) -> pa.Table:
    listed = list(rows)
    return pa.table({name: pa.array([read(row) for row in listed], kind) for name, (kind, read) in columns.items()})
