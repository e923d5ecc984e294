"""Which alerts open an incident, by the opening rules, and what it is like in the beginning; pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from spanglass_core.alerting.severity import Severity
from spanglass_server.alerting.store.filters import host_of, joining_service_of
from spanglass_server.incidents.following import member_of, settled
from spanglass_server.incidents.model import SERVER, Held, Incident, Line, Turn
from spanglass_server.incidents.steps import added, is_address, steps_of
from spanglass_server.incidents.words import listed
from spanglass_server.notifications.routing.matchers import all_hold
from spanglass_server.notifications.subjects import subject_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spanglass_server.alerting.model import Alert
    from spanglass_server.incidents.config.model import OpeningRule
    from spanglass_server.incidents.model import Member


def is_meant(rule: OpeningRule, alert: Alert, now_ns: int) -> bool:
    """Whether an alert counts for a rule now: its labels match, and it has been open for long enough."""
    return alert.created_ns + rule.after_ns <= now_ns and all_hold(rule.match, subject_of(alert).labels)


def opened(rule: OpeningRule, alerts: Sequence[tuple[Alert, str]], now_ns: int, text_of: Callable[[str], str]) -> Turn:
    """The incident that a rule opens for alerts, the first of which it is about, each with why it belongs there.

    ``text_of`` gives the text of a runbook.
    """
    members = tuple(member_of(alert, why, now_ns) for alert, why in alerts)
    worst = max((member.severity for member in members), key=lambda severity: severity.rank)
    begun = Incident(
        title=rule.title or _title(alerts),
        severity=Severity(rule.severity) if rule.severity else worst,
        severity_by=f"the rule {rule.name}" if rule.severity else "",
        source="rule",
        opened_by=rule.name,
        opened_ns=now_ns,
        updated_ns=now_ns,
        started_ns=now_ns,
        lead=rule.lead,
        responders=tuple(dict.fromkeys(filter(None, (rule.lead, *rule.responders)))),
        channels=rule.channels,
    )
    steps = [text for each in (rule.runbook,) for text in steps_of(text_of(each), f"runbook of {rule.name}")]
    own = [step for each in rule.steps for step in steps_of(f"- {each}", rule.name)]
    begun = replace(begun, steps=added((), [*own, *steps]))
    if is_address(rule.runbook):
        begun = replace(begun, runbooks=(rule.runbook,))
    incident, _ = settled(Held(with_runbooks(begun, members, text_of), members), now_ns)
    said = Line(now_ns, "opened", SERVER, f"by the rule {rule.name}: {alerts[0][0].title}", incident.severity)
    joined = [Line(now_ns, "joined", SERVER, each.because, each.severity, each.alert_id) for each in members]
    return Turn(incident, members, (said, *joined))


def with_runbooks(incident: Incident, members: Sequence[Member], text_of: Callable[[str], str]) -> Incident:
    """An incident with the steps of its alerts' runbooks, and with their owners among the responders."""
    steps, runbooks, responders = incident.steps, list(incident.runbooks), list(incident.responders)
    for member in members:
        steps = added(steps, steps_of(text_of(member.runbook), f"runbook of {member.rule_name or member.title}"))
        if is_address(member.runbook):
            runbooks.append(member.runbook.strip())
        if member.owner:
            responders.append(member.owner)
    return replace(
        incident, steps=steps, runbooks=tuple(dict.fromkeys(runbooks)), responders=tuple(dict.fromkeys(responders))
    )


def _title(alerts: Sequence[tuple[Alert, str]]) -> str:
    """The title of the worst alert, of those alike the first that was raised, and where the others are."""
    first = min((alert for alert, _ in alerts), key=lambda alert: (-alert.severity.rank, alert.created_ns))
    names = tuple(dict.fromkeys(name for alert, _ in alerts if (name := joining_service_of(alert) or host_of(alert))))
    if len(names) < 2:  # noqa: PLR2004 - one alert's title says it
        return first.title
    return f"{first.title}, and {len(alerts) - 1} more in {listed(names)}"
