"""Prometheus' rules as ours, so that they mean exactly what they mean there."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from spanglass_core.alerting.conditions.building import quoted
from spanglass_core.alerting.rule import Rule
from spanglass_core.alerting.severity import Severity
from spanglass_server.alerting.rules.prometheus.model import Recording, RecordingGroup
from spanglass_server.forms.kinds import is_link
from spanglass_server.forms.names import slug

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.alerting.rules.prometheus.model import Group, GroupRule

#: What people call severities in labels; others count as warnings.
SEVERITIES = {
    **dict.fromkeys(("critical", "page", "fatal", "emergency", "disaster"), Severity.CRITICAL),
    **dict.fromkeys(("error", "high", "major", "ticket"), Severity.ERROR),
    **dict.fromkeys(("warning", "warn", "medium", "minor", "average"), Severity.WARNING),
    **dict.fromkeys(("info", "information", "informational", "low", "none", "notice", "debug"), Severity.INFO),
}
_TITLES = ("summary", "title")
_DESCRIPTIONS = ("description", "message")
_RUNBOOKS = ("runbook_url", "runbook")


def rules_of(group: Group, file_name: str) -> list[Rule]:
    """The alerting rules of a group as ours. Their uids stay while file, group and name do."""
    seen: dict[str, int] = {}
    rules = []
    for each in group.rules:
        if each.alert:
            place = seen[each.alert] = seen.get(each.alert, 0) + 1
            rules.append(_rule(each, group, uid_of(each.alert, group.name, file_name, place)))
    return rules


def uid_of(alert: str, group: str, file_name: str, place: int) -> str:
    """The uid of an alert of a group, the first or a later one of its name: alerts of one name are common."""
    digest = hashlib.blake2b("\0".join((file_name, group, alert, str(place))).encode(), digest_size=3).hexdigest()
    return f"{slug(alert, 'alert')}-{digest}"


def recordings_of(group: Group, file: str, line: int, lines: Sequence[int]) -> RecordingGroup | None:
    """The recording rules of a group whose rules begin in ``lines``; None if it has none."""
    found = tuple(
        Recording(each.record, each.expr, {**group.labels, **each.labels}, at)
        for each, at in zip(group.rules, lines, strict=True)
        if each.record
    )
    if not found:
        return None
    version = hashlib.blake2b(repr((group, found)).encode(), digest_size=8).hexdigest()
    return RecordingGroup(
        group.name,
        file,
        version,
        found,
        interval_ns=group.interval_ns,
        delay_ns=group.query_offset_ns,
        limit=group.limit,
        line=line,
    )


def _rule(each: GroupRule, group: Group, uid: str) -> Rule:
    labels = {**group.labels, **each.labels}
    annotations = each.annotations
    return Rule(
        uid=uid,
        name=each.alert,
        condition=f"present(promql({quoted(each.expr)}))",
        severity=SEVERITIES.get(labels.get("severity", "").lower(), Severity.WARNING),
        for_ns=each.for_ns,
        keep_firing_for_ns=each.keep_firing_for_ns,
        interval_ns=group.interval_ns,
        delay_ns=group.query_offset_ns,
        no_data="ok",
        labels=labels,
        title=next((annotations[name] for name in _TITLES if annotations.get(name)), ""),
        description=next((annotations[name] for name in _DESCRIPTIONS if annotations.get(name)), ""),
        runbook=next((annotations[name] for name in _RUNBOOKS if _is_link(annotations.get(name, ""))), ""),
        hysteresis=0.0,
        annotations=annotations,
    )


def _is_link(text: str) -> bool:
    return "{{" not in text and is_link(text)
