"""What a rule's condition says about its threshold: on which side values are bad, and whether it alone decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_core.alerting.conditions.nodes import And, Comparison, Condition, Or, principal
from spanglass_core.alerting.conditions.parse import parse_condition
from spanglass_core.alerting.conditions.problems import ConditionError
from spanglass_core.alerting.levels import MIRRORED
from spanglass_server.alerting.evaluation.planning import constant, shown

if TYPE_CHECKING:
    from spanglass_core.alerting.rule import Rule
    from spanglass_server.alerting.backtest.answers import Direction

_DIRECTIONS: dict[str, Direction] = {">": "above", ">=": "above", "<": "below", "<=": "below", "": ""}


@dataclass(frozen=True, slots=True)
class Tuning:
    """How values are compared ("" where that can't be said), and whether another threshold can be tried on them alone.

    It can't where the condition may hold without its comparison (``or``), and where what the value is compared with
    is itself computed.
    """

    operator: str = ""
    tunable: bool = False

    @property
    def direction(self) -> Direction:
        """The side on which values are bad."""
        return _DIRECTIONS[self.operator]

    @property
    def below(self) -> bool:
        """Whether small values are bad."""
        return self.direction == "below"


def tuning_of(rule: Rule) -> Tuning:
    """Read a rule's condition; one that is wrong says nothing."""
    try:
        condition = parse_condition(rule.condition)
    except ConditionError:
        return Tuning()
    compared = principal(condition)
    if compared is None or compared.operator not in _DIRECTIONS:
        return Tuning()
    is_mirrored = shown(compared) is compared.right
    number = constant(compared.left if is_mirrored else compared.right)
    operator = MIRRORED[compared.operator] if is_mirrored else compared.operator
    return Tuning(operator, number is not None and not _has_or(condition, compared))


def _has_or(condition: Condition, compared: Comparison) -> bool:
    """Whether a comparison stands below an ``or``."""
    match condition:
        case Or():
            return True
        case And():
            inside = next(item for item in condition.items if principal(item) is compared)
            return _has_or(inside, compared)
    return False
