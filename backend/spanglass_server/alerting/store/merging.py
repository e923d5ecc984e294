"""What becomes of a stored alert by what a rule or a person says of it; pure, the same for every store."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from spanglass_core.alerting.lifecycle import OPEN, Status, change
from spanglass_core.alerting.priority import priority

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from spanglass_server.alerting.model import Alert, Entry, KeyState


def said(stored: Alert, alert: Alert, *, moved: bool) -> Alert:
    """What a rule says: value, count, priority, whether it fires, that it is over; if it ``moved``, level and texts.

    People may have acknowledged, edited or dismissed the alert since the rule was evaluated: that stays.
    """
    if stored.status not in OPEN:  # it is over: only whether its condition still holds can change
        return replace(stored, firing=alert.firing)
    after = replace(
        stored,
        value=alert.value,
        updated_ns=max(stored.updated_ns, alert.updated_ns),
        firing=alert.firing,
        count=max(stored.count, alert.count),
        priority=alert.priority,
    )
    if moved:
        after = replace(after, severity=alert.severity, title=alert.title, description=alert.description)
    if alert.status in OPEN:
        return after
    return replace(after, status=alert.status, resolved_ns=alert.resolved_ns, resolved_by=alert.resolved_by)


def weighed(alert: Alert) -> Alert:
    """An alert with its priority as it is now."""
    lasted_ns = max(alert.updated_ns - alert.created_ns, 0)
    is_acknowledged = alert.status is Status.ACKNOWLEDGED
    return replace(alert, priority=priority(alert.severity, alert.count, lasted_ns, is_acknowledged=is_acknowledged))


def again(stored: Alert, alert: Alert) -> Alert:
    """An open alert, once more."""
    after = replace(
        stored,
        count=stored.count + 1,
        value=alert.value,
        firing=stored.firing or alert.firing,
        severity=max(stored.severity, alert.severity, key=lambda severity: severity.rank),
        updated_ns=max(stored.updated_ns, alert.updated_ns),
    )
    return weighed(after)


def with_status(stored: Alert, status: Status, entry: Entry) -> Alert:
    """Another status, by whom and when the entry says; raises ``IllegalChangeError``."""
    after = weighed(replace(stored, status=change(stored.status, status), updated_ns=entry.time_ns))
    if status is Status.ACKNOWLEDGED:
        return replace(after, acknowledged_ns=entry.time_ns, acknowledged_by=entry.by)
    if status is Status.ACTIVE:
        return replace(after, acknowledged_ns=0, acknowledged_by="")
    return replace(after, resolved_ns=entry.time_ns, resolved_by=entry.by)


def edited(stored: Alert, written: Mapping[str, Any], entry: Entry) -> Alert:
    """Other words, as a person wrote them; what somebody else wrote meanwhile, and what the rule says, stay."""
    return weighed(replace(stored, **written, updated_ns=entry.time_ns))


def with_evidence(stored: Alert, evidence: Mapping[str, Any], entry: Entry) -> Alert:
    """Other evidence."""
    return replace(stored, evidence=evidence, updated_ns=max(stored.updated_ns, entry.time_ns))


def joined(stored: Alert, head_id: str, entry: Entry) -> Alert:
    """A part of the problem that another alert stands for."""
    return replace(stored, part_of=head_id, updated_ns=max(stored.updated_ns, entry.time_ns))


def noted(stored: Alert, entry: Entry) -> Alert:
    """A note makes an alert one that was touched just now."""
    return replace(stored, updated_ns=max(stored.updated_ns, entry.time_ns))


def linked(known: KeyState, ids: Mapping[str, str]) -> KeyState:
    """A state with the id of the alert that is really open for it."""
    return replace(known, alert_id=ids.get(known.alert_id, known.alert_id))
