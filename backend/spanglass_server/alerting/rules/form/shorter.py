"""What may be left out or written shorter: uids that follow from names, thresholds with the condition's unit."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spanglass_core.alerting.conditions.nodes import Number, principal
from spanglass_core.alerting.conditions.numbers import write_number
from spanglass_core.alerting.conditions.parse import parse_condition
from spanglass_server.forms import names
from spanglass_server.forms.nodes import Entry, Node

if TYPE_CHECKING:
    from spanglass_core.alerting.conditions.nodes import Condition, Unit
    from spanglass_server.forms.problems import Report

LEVELS = ("warning", "error", "critical")
THRESHOLDS = (*LEVELS, "recovery")


def unfold_rule(node: Node, report: Report) -> Node:
    """The uid follows from the name."""
    name = node.named("name")
    if node.sort != "mapping" or node.named("uid") is not None:
        return node
    at = name or node
    uid = Node(
        "text",
        f"{node.path}.uid".removeprefix("."),
        at.line,
        at.column,
        text=names.uid_of(at.text, "rule", stands=report.stands),
    )
    return replace(node, entries=(*node.entries, Entry("uid", at.line, at.column, uid)))


def fold_rule(written: dict[str, Any]) -> dict[str, Any]:
    """Leave out a uid that follows; give thresholds the unit of the number that they replace."""
    unit = unit_of(parse_condition(written["condition"]))
    folded = {key: value for key, value in written.items() if key != "uid" or not _follows(written)}
    return folded | {key: _with_unit(folded[key], unit) for key in THRESHOLDS if key in folded}


def _follows(written: dict[str, Any]) -> bool:
    return names.follows(written["uid"], written["name"], "rule")


def compared_number(condition: Condition) -> Number | None:
    """The number that thresholds replace, None if the condition compares with none."""
    comparison = principal(condition)
    if comparison is None:
        return None
    return next((side for side in (comparison.right, comparison.left) if isinstance(side, Number)), None)


def unit_of(condition: Condition) -> Unit:
    """The unit of a condition's thresholds."""
    number = compared_number(condition)
    return number.unit if number is not None else ""


def _with_unit(value: float, unit: Unit) -> Any:
    if not unit:
        return value
    sign = "-" if value < 0 else ""
    return sign + write_number(Number(abs(value), unit))
