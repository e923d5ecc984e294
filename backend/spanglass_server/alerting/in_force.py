"""The thresholds of rules as they are in force: what a rule says, and what is tuned of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_core.alerting.conditions.nodes import IssueEvent, Quantity, principal, walk
from spanglass_core.alerting.conditions.parse import parse_condition
from spanglass_core.alerting.conditions.problems import ConditionError
from spanglass_server.alerting.rules.form.shorter import LEVELS, compared_number, unit_of

if TYPE_CHECKING:
    from spanglass_core.alerting.conditions.nodes import Condition, Unit
    from spanglass_core.alerting.rule import Rule
    from spanglass_server.alerting.ports import KeptThreshold


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """The thresholds of one rule, in base units.

    ``metric_type`` is the quantity that the condition compares; ``updated_by`` is "" for a rule that stands as written.
    """

    rule_uid: str
    rule_name: str
    metric_type: str
    unit: Unit
    warning: float | None
    error: float | None
    critical: float | None
    recovery: float | None
    for_ns: int
    enabled: bool
    updated_by: str
    updated_ns: int


def in_force(rule: Rule, kept: KeptThreshold | None) -> InForce:
    """The thresholds that a rule, with what is tuned of it applied, names, and the number in its condition."""
    condition = _condition(rule)
    number = compared_number(condition) if condition is not None else None
    levels: dict[str, float | None] = dict.fromkeys(LEVELS)
    if number is not None and rule.severity in levels:
        levels[rule.severity] = number.value
    levels |= {name: value for name in LEVELS if (value := getattr(rule, name)) is not None}
    return InForce(
        rule_uid=rule.uid,
        rule_name=rule.name,
        metric_type=metric_type(condition) if condition is not None else "",
        unit=unit_of(condition) if condition is not None else "",
        warning=levels["warning"],
        error=levels["error"],
        critical=levels["critical"],
        recovery=rule.recovery,
        for_ns=rule.for_ns,
        enabled=rule.enabled,
        updated_by=kept.updated_by if kept else "",
        updated_ns=kept.updated_ns if kept else 0,
    )


def metric_type(condition: Condition) -> str:
    """What a condition is about: the first quantity of the comparison that thresholds belong to, else of all."""
    for node in walk(principal(condition) or condition):
        if isinstance(node, Quantity):
            return node.text if node.kind in {"measure_or_metric", "promql"} else node.kind
        if isinstance(node, IssueEvent):
            return node.kind
    return ""


def _condition(rule: Rule) -> Condition | None:
    """The condition; None for a text that is none."""
    try:
        return parse_condition(rule.condition)
    except ConditionError:
        return None
