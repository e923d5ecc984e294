"""From what a rule or a person says to the alert in the book: new, counted, changed, or over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass.monitoring.alerts import Alert
from spanglass_core.alerting.conditions.nodes import Number
from spanglass_core.alerting.conditions.numbers import write_number
from spanglass_core.alerting.fingerprints import fingerprint
from spanglass_core.alerting.lifecycle import Status
from spanglass_core.alerting.severity import Severity
from spanglass_core.alerting.states import Kind

if TYPE_CHECKING:
    from spanglass.monitoring.book import AlertBook
    from spanglass.monitoring.evaluating import Evaluated, Key
    from spanglass.monitoring.rules import AlertRule
    from spanglass_core.alerting.states import Transition

__all__ = ["Said", "follow", "raise_one"]

_MAX_TITLE = 200


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of an alert that is raised: how bad it is, the value, what it is called, why."""

    severity: Severity
    value: float | None
    title: str
    text: str = ""


def follow(book: AlertBook, evaluated: Evaluated, source: str) -> None:
    """Make of a rule's transitions what they mean for its alert, and keep the newest value."""
    rule, key, state = evaluated.rule, evaluated.key, evaluated.state
    mark = fingerprint(rule.name, key)
    for each in evaluated.transitions:
        found = book.open_one(mark)
        if each.kind is Kind.FIRED:
            severity = each.severity or Severity(rule.severity)
            raise_one(book, rule, key, Said(severity, each.value, _title(evaluated, each)), source)
        elif found is None:
            continue
        elif each.kind in {Kind.RAISED, Kind.LOWERED} and each.severity is not None:
            book.change_severity(found, each.severity, each.value)
        elif each.kind is Kind.RESOLVED:
            book.change_status(found, Status.RESOLVED, "rule", each.reason)
    found = book.open_one(mark)
    if found is not None and state.value is not None:
        book.update(found, state.value)


def raise_one(book: AlertBook, rule: AlertRule, key: Key, said: Said, source: str) -> Alert:
    """Raise an alert of a rule and labels; one that is open counts one more, and may become more severe."""
    mark = fingerprint(rule.name, key)
    found = book.open_one(mark)
    if found is not None:
        if said.severity.rank > found.severity.rank:
            found = book.change_severity(found, said.severity, said.value)
        return book.count(found, said.text)
    made = Alert(
        id="",
        title=said.title[:_MAX_TITLE],
        severity=said.severity,
        fingerprint=mark,
        alert_type=rule.alert_type,
        rule=rule.name,
        description=rule.description or (said.text if len(said.text) > _MAX_TITLE else ""),
        source=source,
        labels={**rule.labels, **dict(key)},
        value=said.value,
        channels=tuple(rule.channels),
        runbook=rule.runbook,
        owner=rule.owner,
    )
    return book.add(made, said.text or said.title)


def _title(evaluated: Evaluated, fired: Transition) -> str:
    """What an alert is called: its rule, with the condition and the value, or with why there is none."""
    rule = evaluated.rule
    if fired.value is None or not evaluated.compares:
        return f"{rule.name}: {fired.reason or rule.condition}"
    return f"{rule.name}: {rule.condition}, is {write_number(Number(float(f'{fired.value:.4g}')))}"
