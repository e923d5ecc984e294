"""Alerts like this one before it, and how they ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_core.alerting.lifecycle import OPEN
from spanglass_server.alerting.evidence.topics import kind_of
from spanglass_server.alerting.evidence.words import shortened
from spanglass_server.alerting.ports import AlertFilter
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from spanglass_server.alerting.evidence.answers import SimilarAlert
    from spanglass_server.alerting.evidence.subject import Subject
    from spanglass_server.alerting.model import Alert
    from spanglass_server.alerting.ports import AlertStore, Found

_MOST = 5
_MOST_LOOKED_AT = 100
_ENDINGS = frozenset({"resolved", "dismissed"})


def latest(store: AlertStore, rule_uid: str, service: str) -> Sequence[Alert]:
    """The newest alerts of a rule, or of a service, where these are not empty."""
    return store.alerts(AlertFilter(rule_uid=rule_uid, service=service), limit=_MOST_LOOKED_AT)


def similar_alerts(
    store: AlertStore,
    latest_of: Callable[[str, str], Sequence[Alert]],
    rules: Mapping[str, Found],
    alert: Alert,
    subject: Subject,
) -> list[SimilarAlert]:
    """Earlier alerts of the same rule and key, else of the same service and quantity; newest first.

    ``latest_of`` returns what ``latest`` does, for a rule's uid and a service.
    """
    same = [
        each for each in latest_of(alert.rule_uid, "") if each.fingerprint == alert.fingerprint and each.id != alert.id
    ]
    if same:
        return [_shown(store, each, same=True) for each in same[:_MOST]]
    if not subject.service or not subject.name:
        return []
    about_same = {uid for uid, found in rules.items() if kind_of(found.rule.condition).name == subject.name}
    others = [each for each in latest_of("", subject.service) if each.rule_uid in about_same and each.id != alert.id]
    return [_shown(store, each, same=False) for each in others[:_MOST]]


def _shown(store: AlertStore, alert: Alert, *, same: bool) -> SimilarAlert:
    over = alert.status not in OPEN and bool(alert.resolved_ns)
    ending = (
        next((entry for entry in reversed(store.history(alert.id)) if entry.kind in _ENDINGS), None) if over else None
    )
    return {
        "alert": alert.id,
        "title": shortened(alert.title),
        "same": same,
        "severity": alert.severity.value,
        "status": alert.status.value,
        "created_time": format_time(alert.created_ns),
        "resolved_time": format_time(alert.resolved_ns) if over else None,
        "duration_ns": alert.resolved_ns - alert.created_ns if over else None,
        "resolved_by": alert.resolved_by,
        "reason": shortened(ending.text) if ending else "",
    }
