"""What a plan says: keys, values, levels, recovery."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spanglass_core.alerting.conditions.nodes import And, Not, Or
from spanglass_server.alerting.evaluation.conditions import Computing, Taken, eased_bounds
from spanglass_server.alerting.evaluation.tables import Table, keys_of, looked_up, with_more
from spanglass_server.alerting.model import Readings
from spanglass_server.promql.evaluation.windows import step_times
from spanglass_server.times import NS_PER_MS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from spanglass_core.alerting.conditions.nodes import Condition
    from spanglass_server.alerting.evaluation.conditions import Sides
    from spanglass_server.alerting.evaluation.planning import Plan
    from spanglass_server.alerting.evaluation.pool import Pool

    Ranks = NDArray[np.int8]
    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]


def read(plan: Plan, pool: Pool) -> Readings:
    """Evaluate a plan; raises ``RuleProblem``."""
    computing = Computing(plan, pool)
    sides = computing.sides(plan.main) if plan.main is not None else None
    base = _base(plan, computing)
    order, keys = _in_order(base)
    levels, held = _levels(plan, computing, base, sides)
    has_value = ~np.isnan(base.values)
    levels[~has_value] = 0
    held = np.where(has_value, np.maximum(held, levels), np.int8(0))
    return Readings(
        step_times(pool.steps) * NS_PER_MS,
        keys,
        base.values[order],
        levels[order],
        held[order] == 0,
        plan.unit,
        dict(plan.levels.thresholds) if plan.levels is not None else {},
        _bounds(plan, base, sides, order),
        tuple(dict.fromkeys([*plan.warnings, *computing.warnings])),
        held[order],
        plan.is_counted,
    )


def _base(plan: Plan, computing: Computing) -> Table:
    """The keys with the values that people see: of the main comparison, or the first condition."""
    first = plan.main if plan.main is not None else next(_leaves(plan.condition))
    base = computing.table(first)
    if isinstance(plan.condition, Or):
        for leaf in _leaves(plan.condition):
            if leaf is not first:
                base = with_more(base, computing.table(leaf))
    return base


def _leaves(node: Condition) -> Iterator[Condition]:
    """The conditions that have no others in them, from the left."""
    match node:
        case And(items) | Or(items):
            for item in items:
                yield from _leaves(item)
        case Not(item):
            yield from _leaves(item)
        case _:
            yield node


def _levels(plan: Plan, computing: Computing, base: Table, sides: Sides | None) -> tuple[Ranks, Ranks]:
    """The highest level that holds for each key and step, and the highest that it has not recovered from."""
    levels, held = np.zeros(base.values.shape, np.int8), np.zeros(base.values.shape, np.int8)
    if sides is None:
        holds = computing.holds(base)
        levels[holds] = held[holds] = plan.rule.severity.rank
        return levels, held
    if plan.levels is None:
        eased = eased_bounds(sides, plan.rule.hysteresis)
        pairs = {plan.rule.severity.rank: (sides.bounds, eased if plan.rule.recovery is None else plan.rule.recovery)}
    else:
        recoveries = plan.levels.recoveries
        pairs = {rank: (threshold, recoveries[rank]) for rank, threshold in plan.levels.thresholds.items()}
    for rank, (threshold, recovery) in pairs.items():
        holds = computing.holds(base, sides.truth(threshold))
        keeps, _ = computing.over(base, plan.condition, sides.truth(recovery), Taken.EASED)
        levels[holds] = rank
        held[keeps] = rank
    return levels, held


def _bounds(plan: Plan, base: Table, sides: Sides | None, order: NDArray[np.intp]) -> Floats | None:
    if sides is None or plan.levels is not None or isinstance(sides.bounds, float):
        return None
    if base is not sides.table:
        return looked_up(base, Table(sides.table.labels, sides.bounds, sides.table.names), 0)[order]
    return sides.bounds[order]


def _in_order(base: Table) -> tuple[NDArray[np.intp], tuple[tuple[tuple[str, str], ...], ...]]:
    """The rows by the order of their keys, and the keys; those without a value at any step are left out."""
    rows = np.flatnonzero(~np.isnan(base.values).all(axis=1))
    keys = keys_of(base.labels.take(rows))
    order = sorted(range(len(keys)), key=keys.__getitem__)
    return rows[np.array(order, np.intp)], tuple(keys[place] for place in order)
