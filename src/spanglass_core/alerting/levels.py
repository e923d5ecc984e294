"""The thresholds of a rule: where each level begins, and where a value has recovered from it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from spanglass_core.alerting.severity import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_core.alerting.conditions.nodes import ComparisonOperator
    from spanglass_core.alerting.rule import Rule

#: The same comparison with its sides exchanged.
MIRRORED: dict[str, ComparisonOperator] = {">": "<", ">=": "<=", "<": ">", "<=": ">=", "==": "==", "!=": "!="}
_LARGER_IS_WORSE = (">", ">=")
_MAY_BE_SHARES = ("", "ratio")
_SMALLER_IS_WORSE = ("<", "<=")


@dataclass(frozen=True, slots=True)
class Levels:
    """Numbers that a value is compared with, by rank of severity, in ascending order of ranks.

    A level holds where ``value operator thresholds[rank]``, and the value has not recovered from it where
    ``value operator recoveries[rank]``.
    """

    operator: ComparisonOperator
    thresholds: Mapping[int, float]
    recoveries: Mapping[int, float]


def levels_of(rule: Rule, operator: ComparisonOperator, written: float, *, unit: str = "") -> Levels:
    """The levels of a rule whose condition compares with the number ``written``, the value on the left.

    ``warning``, ``error`` and ``critical`` stand beside it, and in its place if the rule is of that severity.
    ``recovery`` is where the lowest level ends; the others, and it without ``recovery``, end ``hysteresis`` before
    their threshold. ``unit`` is that of the value, as far as it is known. Raises ``ValueError`` for numbers in an order
    that can't be meant, naming both.
    """
    named = {Severity.WARNING: rule.warning, Severity.ERROR: rule.error, Severity.CRITICAL: rule.critical}
    thresholds = {rule.severity.rank: written}
    thresholds |= {severity.rank: number for severity, number in named.items() if number is not None}
    thresholds = dict(sorted(thresholds.items()))
    _check_order(operator, thresholds, rule.recovery)
    recoveries = {rank: eased(operator, number, rule.hysteresis, unit) for rank, number in thresholds.items()}
    if rule.recovery is not None:
        recoveries[min(recoveries)] = rule.recovery
    return Levels(operator, thresholds, recoveries)


def eased(operator: str, bound: float, share: float, unit: str = "") -> float:
    """The number that a value must pass to have recovered from ``value operator bound``: ``share`` of it nearer.

    ``>`` and ``>=`` ease downwards, ``<`` and ``<=`` upwards, also for negative numbers; others not at all. What may be
    a share of 1 can't recover past 1 (``up < 1``, ``cache_hit_rate < 99%``): it eases halfway to 1 at most.
    """
    if operator in _LARGER_IS_WORSE:
        return bound - share * abs(bound)
    if operator not in _SMALLER_IS_WORSE:
        return bound
    recovery = bound + share * abs(bound)
    return min(recovery, (bound + 1) / 2) if unit in _MAY_BE_SHARES and 0 <= bound <= 1 else recovery


def _check_order(operator: str, thresholds: Mapping[int, float], recovery: float | None) -> None:
    if operator not in (*_LARGER_IS_WORSE, *_SMALLER_IS_WORSE):
        if len(thresholds) > 1 or recovery is not None:
            raise ValueError(f"{operator} has one level only: warning, error, critical and recovery need < or >")
        return
    sign = 1 if operator in _LARGER_IS_WORSE else -1
    ascending = list(thresholds.items())
    for (rank, number), (higher_rank, higher) in pairwise(ascending):
        if sign * higher < sign * number:
            lower_name, name = (list(Severity)[each - 1] for each in (rank, higher_rank))
            raise ValueError(f"{name} at {higher:g} comes before {lower_name} at {number:g}: exchange them")
    lowest = ascending[0][1]
    if recovery is not None and sign * recovery > sign * lowest:
        raise ValueError(f"recovery at {recovery:g} is on the bad side of the lowest threshold, {lowest:g}")
