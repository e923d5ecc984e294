"""The one line that a message begins with: how bad, what, and how many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_core.alerting.severity import SEVERITIES
from spanglass_server.notifications.messages import words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST = 180
_MOST_LABELS = 3


def headline(facts: Mapping[str, Any]) -> str:
    """``[CRITICAL] High error rate: checkout (8.2 %)``, from the other facts."""
    return words.cut(f"[{_mark(facts)}] {what(facts)}", MOST)


def _mark(facts: Mapping[str, Any]) -> str:
    reason, status = facts["reason"], facts["status"]
    if reason in {"test", "digest", "report"}:
        return str(reason).upper()
    if status == "resolved":
        return "RESOLVED"
    severity = str(facts["severity"]).upper()
    if reason == "incident":
        is_said = str(facts["about"].get("title", "")).lower().startswith("incident")
        return severity if is_said else f"INCIDENT, {severity}"
    if reason == "escalation":
        return f"{severity}, NOT ACKNOWLEDGED"
    if reason == "repeat" and facts["alerts"]:
        return f"{severity}, STILL AFTER {facts['alerts'][0]['duration']}"
    return severity


def what(facts: Mapping[str, Any]) -> str:
    """What it is about and how many, without how bad it is."""
    alerts = facts["alerts"]
    about = str(facts["about"].get("title", ""))
    if not alerts or (facts["reason"] == "incident" and about):
        return about or "A message without a title"
    total = len(alerts) + facts["more"]
    if facts["reason"] == "digest":
        return f"{_counted(total)} ({_severities(facts['counts']) or 'all resolved'})"
    if total == 1:
        return _one(alerts[0])
    if facts["status"] == "firing" and facts["resolved"]:
        return f"{_counted(facts['firing'])}, {facts['resolved']} resolved: {_shared(facts)}"
    return f"{_counted(total)}: {_shared(facts)}"


def _one(alert: Mapping[str, Any]) -> str:
    title, value = str(alert["title"]), str(alert["value"])
    if not alert["is_open"]:
        return f"{title}, after {alert['duration']}"
    return f"{title} ({value})" if value and value not in title else title


def _counted(number: int) -> str:
    return f"{number} alert{'' if number == 1 else 's'}"


def _severities(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{counts[severity]} {severity}" for severity in reversed(SEVERITIES) if counts.get(severity))


def _shared(facts: Mapping[str, Any]) -> str:
    """What the alerts of a group have in common, else the worst of them."""
    rules = {alert["rule"] for alert in facts["alerts"]}
    rule = rules.pop() if len(rules) == 1 else ""
    values: Sequence[str] = [value for name, value in facts["group"].items() if name not in {"alertname", "rule"}]
    found = [*([rule] if rule else []), *dict.fromkeys(values)][:_MOST_LABELS]
    return ", ".join(found) or f"{facts['alerts'][0]['title']} and others"
