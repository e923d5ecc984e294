"""What templates are given: a notification, its alerts with evidence, labels, links. ``NAMES`` lists the facts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from spanglass_core.alerting.lifecycle import OPEN
from spanglass_core.alerting.severity import SEVERITIES, Severity
from spanglass_server.notifications.messages import words
from spanglass_server.notifications.messages.headlines import headline, what
from spanglass_server.notifications.messages.told import told
from spanglass_server.notifications.model import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.alerting.model import Alert
    from spanglass_server.notifications.model import Action, Channel, Notification

#: So many alerts are told one by one, the rest is counted.
MOST_ALERTS = 20
_MOST_LABELS = 30
_MOST_TEXT, _MOST_LINE = 4_000, 300
#: Who reads a message need not know what a first route is.
_WHY: Mapping[str, str] = {"the first route": "the first route, which takes every alert"}

#: Every fact that a template can use, and what it is; docs/messages.md has the same table.
NAMES: Mapping[str, str] = {
    "status": "firing, resolved, or info for what is no alert",
    "severity": "info, warning, error or critical: the worst of the open alerts, else of all",
    "reason": "firing, resolved, repeat, escalation, digest, incident or test",
    "headline": "the title as it is without a template",
    "what": "the same without how bad it is",
    "alerts": "the alerts, open ones and the worst first, at most 20",
    "more": "how many alerts are not in alerts",
    "firing": "how many alerts are open",
    "resolved": "how many alerts are over",
    "counts": "how many open alerts there are by severity",
    "labels": "the labels that all alerts have in common",
    "group": "the labels by which the alerts are grouped",
    "about": "title, text, severity and link of what is no alert: an incident, a test",
    "why": "why this channel is told: the route, the step of an escalation",
    "channel": "the name of the channel",
    "kind": "the kind of the channel",
    "fallback": "which channel could not be told, and why, where this one is told in its place; else empty",
    "link": "the page about all this",
    "actions": "links that do something, each with label and url",
    "chart": "what the chart shows, in words; empty without a chart",
    "server": "the address of the server's pages",
    "sent": "the time of the notification",
}


@dataclass(frozen=True, slots=True)
class Material:
    """What a message is made of. ``alerts`` are in the order in which they are told, with evidence."""

    notification: Notification
    channel: Channel
    alerts: Sequence[Alert]
    base_url: str
    link: str
    now_ns: int
    actions: Sequence[Action] = ()
    chart: str = ""


def in_order(alerts: Sequence[Alert]) -> list[Alert]:
    """Open ones first, then the worst, the most urgent, the latest."""
    return sorted(
        alerts, key=lambda one: (one.status not in OPEN, -one.severity.rank, -one.priority, -one.created_ns, one.id)
    )


def status_of(notification: Notification, alerts: Sequence[Alert]) -> Literal["firing", "resolved", "info"]:
    """What a message is about: something that is bad, or that is over, or neither."""
    if notification.reason in {Reason.TEST, Reason.INCIDENT, Reason.REPORT} or not alerts:
        told_as = str(notification.about.get("status", ""))
        return "firing" if told_as == "firing" else "resolved" if told_as == "resolved" else "info"
    return "firing" if any(alert.status in OPEN for alert in alerts) else "resolved"


def severity_of(notification: Notification, alerts: Sequence[Alert]) -> Severity:
    """The worst severity of the open alerts, of all where none is open."""
    found = [alert.severity for alert in alerts if alert.status in OPEN] or [alert.severity for alert in alerts]
    if found:
        return max(found, key=lambda severity: severity.rank)
    given = str(notification.about.get("severity", ""))
    return Severity(given) if given in set(SEVERITIES) else Severity.INFO


def facts(material: Material) -> dict[str, Any]:
    """All facts by name, as JSON has them."""
    notification, alerts = material.notification, material.alerts
    shown = [told(alert, material.base_url, material.now_ns) for alert in alerts[:MOST_ALERTS]]
    status, severity = status_of(notification, alerts), severity_of(notification, alerts)
    is_open = [alert for alert in alerts if alert.status in OPEN]
    found = {
        "status": status,
        "severity": str(severity),
        "reason": str(notification.reason),
        "alerts": shown,
        "more": len(alerts) - len(shown),
        "firing": len(is_open),
        "resolved": len(alerts) - len(is_open),
        "counts": {str(severity): count for severity, count in Counter(one.severity for one in is_open).items()},
        "labels": _common(alerts),
        "group": _texts(notification.group_labels),
        "about": _about(notification.about),
        "why": words.line(_WHY.get(notification.why, notification.why), _MOST_LINE),
        "channel": material.channel.name,
        "kind": material.channel.kind,
        "fallback": words.line(notification.failed, _MOST_LINE),
        "link": material.link,
        "actions": [{"label": action.label, "url": action.url} for action in material.actions],
        "chart": material.chart,
        "server": material.base_url,
        "sent": words.moment(notification.created_ns),
    }
    return found | {"headline": headline(found), "what": what(found)}


def _common(alerts: Sequence[Alert]) -> dict[str, str]:
    if not alerts:
        return {}
    common = set(alerts[0].labels.items())
    for alert in alerts[1:]:
        common &= set(alert.labels.items())
    return _texts(dict(common))


def _texts(labels: Mapping[str, str]) -> dict[str, str]:
    shown = sorted(labels.items())[:_MOST_LABELS]
    return {words.line(name, _MOST_LINE): words.line(value, _MOST_LINE) for name, value in shown if value}


def _about(about: Mapping[str, Any]) -> dict[str, Any]:
    """Texts on one line but for ``text``; numbers as they are, the rest left out."""
    found: dict[str, Any] = {"title": "", "text": "", "severity": "", "link": ""}
    for name, value in about.items():
        if isinstance(value, str):
            found[name] = words.lines(value, _MOST_TEXT) if name == "text" else words.line(value, _MOST_LINE)
        elif isinstance(value, int | float):
            found[name] = value
    return found
