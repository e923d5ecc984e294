"""Conditions over plain numbers, in a process that has no server: ``{"error_rate": 0.07, "queue_size": 12}``."""

from __future__ import annotations

import math
import operator
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from spanglass_core.alerting.conditions.building import unquoted
from spanglass_core.alerting.conditions.nodes import (
    Absent,
    And,
    Arithmetic,
    Comparison,
    Forecast,
    Not,
    Number,
    Or,
    Present,
    Quantity,
    Usual,
    principal,
    walk,
)
from spanglass_core.alerting.conditions.parse import parse_condition
from spanglass_core.alerting.conditions.problems import ConditionError
from spanglass_core.alerting.levels import MIRRORED, eased, levels_of
from spanglass_core.alerting.severity import SEVERITIES
from spanglass_core.alerting.states import Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from spanglass_core.alerting.conditions.nodes import Condition, Node, Value
    from spanglass_core.alerting.levels import Levels
    from spanglass_core.alerting.rule import Rule

    #: A comparison, and the bound in the place of its own, given its operator and that.
    Instead = tuple[Comparison | None, Callable[[str, float], float]]

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}
_COMPUTE: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
_MATCHER = re.compile(r'(?P<key>"(?:\\.|[^"])*"|[^=!~"]+)(?P<operator>=~|!~|!=|=)(?P<value>".*")', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Comparer:
    """A rule over plain numbers; ``comparer`` makes one."""

    rule: Rule
    condition: Condition
    main: Comparison | None
    levels: Levels | None

    def sample(
        self, numbers: Mapping[str, float | None], time_ns: int, labels: Mapping[str, str] | None = None
    ) -> Sample:
        """What the numbers of one key say at a time.

        ``numbers`` are in base units: seconds, bytes, shares of 1. A quantity is found by its name as written, with
        its aggregation before it (``p95_response_time``) if there is such a number, with dots or underscores. What is
        missing, None or NaN is no data. ``labels`` are what matchers such as ``{service="shop"}`` are compared with.
        """
        found = _Found(numbers, labels or {})
        if self.main is None or self.levels is None:
            return self._without_levels(found, time_ns)
        holds = found.truth(self.condition)
        side = self.main.right if isinstance(self.main.left, Number) else self.main.left
        value = found.value(side)
        if value is None:
            if holds is None:
                return Sample(time_ns)
            value = float(holds)
        crossed = [rank for rank, number in self.levels.thresholds.items() if self._holds(found, number)]
        held = [rank for rank, number in self.levels.recoveries.items() if self._holds(found, number)]
        return Sample(
            time_ns,
            value,
            SEVERITIES[max(crossed) - 1] if crossed else None,
            recovered=not held,
            holding=SEVERITIES[max(held) - 1] if held else None,
        )

    def is_about(self, numbers: Mapping[str, float | None]) -> bool:
        """Whether any of the numbers is one that the condition asks for."""
        asked = (node for node in walk(self.condition) if isinstance(node, Quantity))
        return any(name in numbers for node in asked for name in _spellings(node.text, node.aggregate))

    def _holds(self, found: _Found, number: float) -> bool:
        """Whether the condition holds with this number in the place of the one that it compares with."""
        return found.truth(self.condition, (self.main, lambda _sign, _bound: number)) is True

    def _without_levels(self, found: _Found, time_ns: int) -> Sample:
        holds = found.truth(self.condition)
        if holds is None:
            return Sample(time_ns)
        recovered = found.truth(self.condition, (self.main, self._eased)) is not True
        value = None if self.main is None else found.value(self.main.left)
        level = self.rule.severity if holds else None
        return Sample(time_ns, float(holds) if value is None else value, level, recovered=recovered)

    def _eased(self, sign: str, bound: float) -> float:
        return eased(sign, bound, self.rule.hysteresis) if self.rule.recovery is None else self.rule.recovery


def comparer(rule: Rule) -> Comparer:
    """Prepare a rule.

    Raises ``ConditionError`` for what only a server can compute, and ``ValueError`` for levels in disorder.
    """
    condition = parse_condition(rule.condition)
    for node in walk(condition):
        _check(node)
    main = principal(condition)
    number = next((side for side in (main.left, main.right) if isinstance(side, Number)), None) if main else None
    levels = None
    if main is not None and number is not None:
        written = MIRRORED[main.operator] if number is main.left else main.operator
        levels = levels_of(rule, written, number.value, unit=number.unit)
    elif any(each is not None for each in (rule.warning, rule.error, rule.critical)):
        message = "levels replace the number that a condition compares with, and this one compares with none"
        raise ConditionError(message, 1, "write one rule a level")
    return Comparer(rule, condition, main, levels)


def names_in(condition: Condition) -> tuple[str, ...]:
    """The names that a condition asks for, each once, in their order."""
    return tuple(dict.fromkeys(node.text for node in walk(condition) if isinstance(node, Quantity)))


def _check(node: Node) -> None:
    """Raise for what can't be known from numbers of this moment."""
    if isinstance(node, Quantity):
        _check_quantity(node)
    elif isinstance(node, Absent) and node.over_ns:
        raise ConditionError("over needs a server here", node.column, "say in the rule for how long: for_ns")
    elif isinstance(node, Forecast):
        raise ConditionError("forecast needs a server, which has the history", node.column, "compare with a number")
    elif isinstance(node, Usual):
        raise ConditionError(f"{node.what} needs a server, which has the history", node.column, "compare with a number")
    elif not isinstance(node, Number | Arithmetic | Comparison | And | Or | Not | Absent | Present):
        raise ConditionError(f"{node.kind} needs a server, which has the issues", node.column)


def _check_quantity(node: Quantity) -> None:
    needs = {
        node.kind: node.kind != "measure_or_metric",
        "by": bool(node.by),
        "over": bool(node.window_ns),
        "offset": bool(node.offset_ns),
    }
    for word, is_needed in needs.items():
        if is_needed:
            hint = "name a metric, such as error_rate > 5%"
            raise ConditionError(f"{word} needs a server, which has the data", node.column, hint)
    for condition in node.conditions:
        _, sign, pattern = _matcher(condition)
        try:
            re.compile(pattern if sign in {"=~", "!~"} else "")
        except re.error as error:
            raise ConditionError(f"{pattern} is no regular expression: {error}", node.column) from None


@dataclass(frozen=True, slots=True)
class _Found:
    """Numbers, and what follows from them; None stands for no data throughout."""

    numbers: Mapping[str, float | None]
    labels: Mapping[str, str]

    def truth(self, node: Condition, instead: Instead | None = None) -> bool | None:
        """Whether a condition holds; ``instead`` gives another bound for one of its comparisons."""
        match node:
            case And(items) | Or(items):
                told = [self.truth(item, instead) for item in items]
                decisive = isinstance(node, Or)
                return decisive if decisive in told else None if None in told else not decisive
            case Not(item):
                inner = self.truth(item)
                return None if inner is None else not inner
            case Absent(of) | Present(of):
                return (self.value(of) is None) == isinstance(node, Absent)
            case Comparison():
                return self._compared(node, instead)
        return None

    def _compared(self, node: Comparison, instead: Instead | None) -> bool | None:
        sign, left, right = node.operator, node.left, node.right
        if isinstance(left, Number):
            sign, left, right = MIRRORED[sign], right, left
        value, bound = self.value(left), self.value(right)
        if value is None or bound is None:
            return None
        if instead is not None and instead[0] is node:
            bound = instead[1](sign, bound)
        return _COMPARE[sign](value, bound)

    def value(self, node: Value) -> float | None:
        """The number of a value."""
        match node:
            case Number(value):
                return value
            case Quantity():
                return self._named(node)
            case Arithmetic(sign, left, right):
                first, second = self.value(left), self.value(right)
                if first is None or second is None or (sign == "/" and second == 0):
                    return None
                return _known(_COMPUTE[sign](first, second))
        return None

    def _named(self, node: Quantity) -> float | None:
        if not all(_matches(condition, self.labels) for condition in node.conditions):
            return None
        for name in _spellings(node.text, node.aggregate):
            if name in self.numbers:
                return _known(self.numbers[name])
        return None


def _known(number: Any) -> float | None:
    return None if number is None or math.isnan(number) else float(number)


@cache
def _spellings(text: str, aggregate: str) -> tuple[str, ...]:
    names = (f"{aggregate}_{text}", text) if aggregate else (text,)
    return tuple(
        dict.fromkeys(each for name in names for each in (name, name.replace(".", "_"), name.replace("_", ".")))
    )


def _matches(condition: str, labels: Mapping[str, str]) -> bool:
    key, sign, wanted = _matcher(condition)
    actual = labels.get(key, labels.get(key.replace(".", "_"), ""))
    if sign in {"=~", "!~"}:
        return (re.fullmatch(wanted, actual, re.DOTALL) is not None) == (sign == "=~")
    return (actual == wanted) == (sign == "=")


@cache
def _matcher(condition: str) -> tuple[str, str, str]:
    match = _MATCHER.fullmatch(condition)
    assert match is not None  # noqa: S101 - building.py wrote it
    return _plain(match["key"]), match["operator"], _plain(match["value"])


def _plain(text: str) -> str:
    return unquoted(text) if text.startswith('"') else text
