"""What may be left out or written shorter: uids that follow from names, thresholds with the condition's unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_core.alerting.conditions.nodes import Number, principal
from spanglass_core.alerting.conditions.numbers import write_number
from spanglass_core.alerting.conditions.parse import parse_condition
from spanglass_server.forms.names import without_uid

if TYPE_CHECKING:
    from spanglass_core.alerting.conditions.nodes import Condition, Unit

LEVELS = ("warning", "error", "critical")
THRESHOLDS = (*LEVELS, "recovery")


def fold_rule(written: dict[str, Any]) -> dict[str, Any]:
    """Leave out a uid that follows; give thresholds the unit of the number that they replace."""
    unit = unit_of(parse_condition(written["condition"]))
    folded = without_uid(written, "rule")
    return folded | {key: _with_unit(folded[key], unit) for key in THRESHOLDS if key in folded}


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
