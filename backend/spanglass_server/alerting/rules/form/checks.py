"""What must hold between the values of a rule, each of which is fine by itself."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from spanglass_core.alerting.conditions.nodes import principal
from spanglass_core.alerting.conditions.numbers import read_number
from spanglass_core.alerting.conditions.parse import parse_condition
from spanglass_core.alerting.severity import Severity
from spanglass_server.alerting.rules.form.shorter import LEVELS, THRESHOLDS, compared_number, unit_of

if TYPE_CHECKING:
    from spanglass_core.alerting.conditions.nodes import Condition, Number, Unit
    from spanglass_core.alerting.rule import Rule
    from spanglass_server.forms.nodes import Node
    from spanglass_server.forms.problems import Report

_UNIT_EXAMPLES: dict[Unit, str] = {"s": "800ms", "bytes": "1.5GB", "bytes/s": "10MB/s", "ratio": "85%", "/s": "100/s"}
#: Units in which a number by itself would be far from what is meant.
_NAMED_UNITS = frozenset({"s", "bytes", "bytes/s"})


def check_rule(rule: Rule, node: Node, report: Report) -> None:
    """Thresholds of a comparison, in its unit, each worse than the one before it."""
    condition = parse_condition(rule.condition)
    given = [name for name in THRESHOLDS if getattr(rule, name) is not None]
    if given and principal(condition) is None:
        at = _at(node, given[0])
        report.add(at, f"{given[0]} replaces no number of the condition", "compare with a number there")
        return
    before = len(report.problems)
    for name in given:
        _check_unit(name, condition, _at(node, name), report)
    if len(report.problems) == before:
        _check_order(rule, condition, node, report)


def _check_unit(name: str, condition: Condition, node: Node, report: Report) -> None:
    wanted = unit_of(condition)
    given = read_number(node.text.strip().lstrip("+-").strip(), 1).unit
    if not wanted or given == wanted:
        return
    example = _UNIT_EXAMPLES[wanted]
    if given:
        report.add(node, f"{name} is in another unit than the condition's number", f"write it like {example}")
    elif node.line and wanted in _NAMED_UNITS:  # in JSON, without places, numbers are in base units
        report.add(node, f"{name} has no unit, and the condition's number has one", f"write it like {example}")


def _check_order(rule: Rule, condition: Condition, node: Node, report: Report) -> None:
    """With ``>`` the worse is the larger, with ``<`` the smaller."""
    comparison = principal(condition)
    if comparison is None or comparison.operator not in {">", ">=", "<", "<="}:
        return
    number = compared_number(condition)
    is_flipped = number is not None and number is comparison.left
    sign = 1 if (comparison.operator[0] == ">") != is_flipped else -1
    levels = _levels(rule, number)
    for (milder, least), (worse, most) in pairwise(levels):
        if sign * least >= sign * most:
            report.add(_at(node, worse), f"{worse} is reached before {milder}", "exchange them")
    if rule.recovery is not None and levels and sign * rule.recovery > min(sign * value for _, value in levels):
        side = "below" if sign > 0 else "above"
        report.add(_at(node, "recovery"), "an alert would resolve while it still fires", f"choose one {side} that")


def _levels(rule: Rule, number: Number | None) -> list[tuple[str, float]]:
    """What the condition as written and its further thresholds compare with, mildest first."""
    levels = {name: value for name in LEVELS if (value := getattr(rule, name)) is not None}
    if number is not None:
        levels.setdefault(rule.severity, number.value)
    return sorted(levels.items(), key=lambda level: Severity(level[0]).rank)


def _at(node: Node, name: str) -> Node:
    return node.named(name) or node
