"""What a link in a message silences: these alerts, up to the severity that they had."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_core.alerting.severity import SEVERITIES
from spanglass_server.notifications.model import Matcher

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from spanglass_server.alerting.model import Alert

#: Labels of ours that tell alerts apart, besides those of a rule's key.
_OURS = ("alertname", "rule", "service")


def matchers_of(alerts: Sequence[Alert], labels: Callable[[Alert], Mapping[str, str]]) -> tuple[Matcher, ...]:
    """The labels that all the alerts share, of those that tell them from others; none where they share nothing.

    A severity worse than the worst of them is told all the same: a warning that is silenced hides no failure.
    """
    if not alerts:
        return ()
    shared = set(_telling(alerts[0], labels).items())
    for alert in alerts[1:]:
        shared &= set(_telling(alert, labels).items())
    if not shared:
        return ()
    worst = max(alert.severity.rank for alert in alerts)
    equal = [Matcher(name, "=", value) for name, value in sorted(shared)]
    if worst == len(SEVERITIES):
        return tuple(equal)
    return (*equal, Matcher("severity", "=~", "|".join(SEVERITIES[:worst])))


def _telling(alert: Alert, labels: Callable[[Alert], Mapping[str, str]]) -> Mapping[str, str]:
    """The labels that tell an alert from others: of a rule's the key, else all but what changes while it is open."""
    found = labels(alert)
    if alert.rule_uid:
        names = {*_OURS, *(name for name, _ in alert.key)}
        return {name: value for name, value in found.items() if name in names}
    return {name: value for name, value in found.items() if name not in {"severity", "owner", "source"}}
