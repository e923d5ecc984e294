"""Where the conditions of a plan hold, by key and step."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import TYPE_CHECKING

import numpy as np

from spanglass_core.alerting.conditions.nodes import (
    Absent,
    And,
    Arithmetic,
    Comparison,
    Forecast,
    IssueEvent,
    Not,
    Or,
    Present,
    Quantity,
    Usual,
    walk,
)
from spanglass_core.alerting.levels import MIRRORED, eased
from spanglass_server.alerting.evaluation.absence import absent, present
from spanglass_server.alerting.evaluation.planning import constant, shown
from spanglass_server.alerting.evaluation.problems import RuleProblem
from spanglass_server.alerting.evaluation.quantities.expressions import milliseconds
from spanglass_server.alerting.evaluation.tables import Table, Truth, joined, looked_up, projected, rounded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_core.alerting.conditions.nodes import Condition, Value
    from spanglass_server.alerting.evaluation.planning import Plan
    from spanglass_server.alerting.evaluation.pool import Pool

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

#: A number of samples that is estimated is no whole one.
_HALF = 0.5
_LARGER_IS_WORSE = (">", ">=")
_COMPARE: dict[str, np.ufunc] = {
    ">": np.greater,
    ">=": np.greater_equal,
    "<": np.less,
    "<=": np.less_equal,
    "==": np.equal,
    "!=": np.not_equal,
}
_COMPUTE: dict[str, np.ufunc] = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}


class Taken(Enum):
    """When a comparison is taken to hold: with enough samples, with any number of them, or until it has recovered."""

    BELIEVED = auto()
    ANYHOW = auto()
    EASED = auto()


@dataclass(frozen=True, slots=True)
class Sides:
    """A comparison with the value that people see on the left: keys, what they are compared with, and how."""

    table: Table
    bounds: Floats | float
    operator: str

    def truth(self, bounds: Floats | float) -> Truth:
        """Where the value compares so with other bounds."""
        values = self.table.values
        with np.errstate(invalid="ignore"):
            holds = _COMPARE[self.operator](values, bounds)
        known = ~(np.isnan(values) | np.isnan(bounds))
        return Truth(self.table, holds & known, known & ~holds)


def eased_bounds(sides: Sides, share: float) -> Floats | float:
    """What a value must pass to have recovered: ``share`` of the bound on its good side."""
    if isinstance(sides.bounds, float):
        return eased(sides.operator, sides.bounds, share)
    sign = {">": -1.0, ">=": -1.0, "<": 1.0, "<=": 1.0}.get(sides.operator, 0.0)
    return sides.bounds + sign * share * np.abs(sides.bounds)


@dataclass(slots=True)
class Computing:
    """The values and conditions of one plan; each comparison is computed once."""

    plan: Plan
    pool: Pool
    warnings: list[str] = field(default_factory=list)
    _sides: dict[int, Sides] = field(default_factory=dict)
    _truths: dict[tuple[int, Taken], Truth] = field(default_factory=dict)

    def sides(self, node: Comparison) -> Sides:
        """Both sides of a comparison."""
        if id(node) not in self._sides:
            self._sides[id(node)] = self._compared(node)
        return self._sides[id(node)]

    def truth(self, node: Condition, taken: Taken = Taken.BELIEVED) -> Truth:
        """Where a condition that has no others in it holds, by its own keys."""
        key = id(node), taken
        if key not in self._truths:
            self._truths[key] = self._truth(node, taken)
        return self._truths[key]

    def table(self, node: Condition) -> Table:
        """The values that people see of a condition that has no others in it."""
        return self.sides(node).table if isinstance(node, Comparison) else self.truth(node).table

    def holds(self, base: Table, main: Truth | None = None) -> Bools:
        """Where the condition of the plan holds, for the keys of ``base``; ``main`` stands for that comparison.

        Samples are counted only where it would hold with any number of them: fewer of them let less hold. (Under
        ``not`` more may hold, where a key belongs to several others.)
        """
        node = self.plan.condition
        if self.plan.guards and not any(isinstance(each, Not) for each in walk(node)):
            found, _ = self.over(base, node, main, Taken.ANYHOW)
            if not found.any():
                return found
        if main is not None:
            assert self.plan.main is not None  # noqa: S101 - it is what stands for it
            main = replace(main, holds=self._believed(self.plan.main, main.holds))
        return self.over(base, node, main)[0]

    def over(
        self, base: Table, node: Condition, main: Truth | None = None, taken: Taken = Taken.BELIEVED
    ) -> tuple[Bools, Bools]:
        """Where a condition holds and where it fails, for the keys of ``base``.

        ``main`` stands for that comparison. What is under ``not`` is never eased.
        """
        match node:
            case And(items) | Or(items):
                told = [self.over(base, item, main, taken) for item in items]
                holds, fails = (np.array([each[place] for each in told]) for place in (0, 1))
                if isinstance(node, And):
                    return np.asarray(np.all(holds, axis=0)), np.asarray(np.any(fails, axis=0))
                return np.asarray(np.any(holds, axis=0)), np.asarray(np.all(fails, axis=0))
            case Not(item):
                holds, fails = self.over(base, item, main)
                return fails, holds
            case Comparison() if node is self.plan.main and main is not None:
                return projected(base, main)
        return projected(base, self.truth(node, taken))

    def _believed(self, node: Comparison, holds: Bools) -> Bools:
        """Where a comparison holds with enough samples; mostly it holds nowhere, and then they are not counted."""
        return holds & self._enough(node) if holds.any() else holds

    def _enough(self, node: Comparison) -> Bools:
        """Where there are enough samples to believe the value of a comparison, by its own keys."""
        sides = self.sides(node)
        table, guard = sides.table, self.plan.guards.get(node)
        if guard is None:
            return np.ones(table.values.shape, np.bool_)
        samples, _ = self.pool.table(guard.samples, guard.column)
        number = np.nan_to_num(looked_up(table, samples, guard.column))
        share = table.values if sides.operator in _LARGER_IS_WORSE else 1 - table.values
        with np.errstate(invalid="ignore"):
            part = share * number if guard.least_part else np.inf
            return np.asarray((number >= guard.least - _HALF) & (part >= guard.least_part - _HALF))

    def _truth(self, node: Condition, taken: Taken) -> Truth:
        match node:
            case Comparison() if taken is Taken.EASED:
                sides = self.sides(node)
                return sides.truth(eased_bounds(sides, self.plan.rule.hysteresis))
            case Comparison():
                sides = self.sides(node)
                found = sides.truth(sides.bounds)
                return found if taken is Taken.ANYHOW else replace(found, holds=self._believed(node, found.holds))
            case Absent(of=of, over_ns=over_ns):
                return absent(self.plan.sources[of], over_ns or of.window_ns, self.pool)
            case Present(of=of):
                return present(self._table(of, is_exact=True))
            case IssueEvent():
                table, _ = self.pool.table(self.plan.events[node], node.column)
                holds = table.values > 0
                return Truth(table, holds, ~holds)
        raise AssertionError(node)  # the others have conditions in them

    def _compared(self, node: Comparison) -> Sides:
        left, right, operator = node.left, node.right, node.operator
        if shown(node) is right:
            left, right, operator = right, left, MIRRORED[operator]
        quantity = next((each for each in walk(left) if isinstance(each, Quantity)), None)
        first, second = self._value(left, quantity), self._value(right, quantity)
        if not isinstance(first, Table):
            raise RuleProblem("there is nothing to compare with", node.column, "compare a measure or metric")
        if not isinstance(second, Table):
            return Sides(first, second, operator)
        table, bounds = joined(first, second, node.column, all_of_left=True)
        return Sides(table, rounded(bounds.values), operator)

    def _value(self, node: Value, left: Quantity | None = None) -> Table | float:
        """The value of one side; ``left`` is the quantity whose baseline is meant where none is named."""
        number = constant(node)
        if number is not None:
            return number
        match node:
            case Quantity():
                return self._table(node)
            case Usual(what, of):
                return self._usual(what, of or left, node.column)
            case Forecast(of, ahead_ns):
                return self.pool.forecast(self.plan.sources[of].value, milliseconds(ahead_ns), node.column)
            case Arithmetic():
                return self._computed(node, left)
        raise AssertionError(node)

    def _table(self, node: Quantity, *, is_exact: bool = False) -> Table:
        table, notes = self.pool.table(self.plan.sources[node].value, node.column, is_exact=is_exact)
        self.warnings += notes
        return table

    def _usual(self, what: str, of: Quantity | None, column: int) -> Table:
        if of is None:
            raise RuleProblem(f"{what} of nothing", column, f"write {what}(error_rate), or a measure on the left")
        value, spread = self.pool.usual(self.plan.sources[of].value, column)
        return value if what == "baseline" else spread

    def _computed(self, node: Arithmetic, left: Quantity | None) -> Table:
        first, second = self._value(node.left, left), self._value(node.right, left)
        compute = _COMPUTE[node.operator]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            if isinstance(first, Table) and isinstance(second, Table):
                one, other = joined(first, second, node.column)
                return Table(one.labels, rounded(compute(one.values, other.values)), one.names)
            if isinstance(first, Table):
                return Table(first.labels, rounded(compute(first.values, second)), first.names)
            assert isinstance(second, Table)  # noqa: S101 - two numbers are a number
            return Table(second.labels, rounded(compute(first, second.values)), second.names)
