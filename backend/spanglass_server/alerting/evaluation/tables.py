"""Values by key and step, and how the keys of two quantities belong together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.alerting.evaluation.problems import RuleProblem
from spanglass_server.promql.series.labels import LabelSets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.alerting.evaluation.quantities.expressions import Labels
    from spanglass_server.alerting.model import Key

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

#: So many digits of a value are looked at: what is behind them depends on the order of additions.
_DIGITS = 10


@dataclass(frozen=True, slots=True)
class Table:
    """Values (n, m) of n keys at m steps, NaN where there is none. ``names`` are the labels of keys, None for any."""

    labels: LabelSets
    values: Floats
    names: Labels

    @property
    def size(self) -> int:
        """How many keys there are."""
        return self.labels.size

    def take(self, rows: NDArray[np.intp]) -> Table:
        """Some of the keys."""
        return replace(self, labels=self.labels.take(rows), values=self.values[rows])


@dataclass(frozen=True, slots=True)
class Truth:
    """Where a condition holds (n, m), and where it is known not to; with the values that people see of it."""

    table: Table
    holds: Bools
    fails: Bools


def keys_of(labels: LabelSets) -> list[Key]:
    """The keys of rows."""
    return [tuple(row.items()) for row in labels.rows()]


def rounded(values: Floats) -> Floats:
    """Values with as many digits as are looked at."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        exponent = np.floor(np.log10(np.abs(values)))
        usable = np.isfinite(exponent) & (np.abs(exponent) < 290)  # noqa: PLR2004 - powers of ten that doubles have
        power = np.where(usable, _DIGITS - 1 - exponent, 0)
        up, down = 10.0 ** np.maximum(power, 0), 10.0 ** np.maximum(-power, 0)
        return np.where(usable, np.rint(values * up / down) * down / up, values)


def common(left: Labels, right: Labels) -> Labels:
    """The labels that both keys have."""
    if left is None or right is None:
        return right if left is None else left
    return tuple(name for name in left if name in right)


def joined(left: Table, right: Table, column: int, *, all_of_left: bool = False) -> tuple[Table, Table]:
    """Two tables with the same keys, row by row: those that have the labels in common that both have.

    ``all_of_left``: keys of the left that the right lacks stay, without a value on the right. Raises ``RuleProblem``
    if several of the left belong to several of the right.
    """
    names = common(left.names, right.names)
    if names == ():
        return _of_one(left, right, column, all_of_left=all_of_left)
    of_left, of_right = _groups(left.labels, right.labels, names)
    size = int(max(of_left.max(initial=-1), of_right.max(initial=-1))) + 1
    if _is_unique(of_right, size):
        rows = np.full(size, -1)
        rows[of_right] = np.arange(right.size)
        found = rows[of_left]
        kept = np.arange(left.size) if all_of_left else np.flatnonzero(found >= 0)
        return left.take(kept), _values_at(right, found[kept], left.labels.take(kept), left.names)
    if not _is_unique(of_left, size):
        raise RuleProblem(_MANY, column, _MANY_HINT)
    rows = np.full(size, -1)
    rows[of_left] = np.arange(left.size)
    found = rows[of_right]
    kept = np.flatnonzero(found >= 0)
    labels = right.labels.take(kept)
    return _values_at(left, found[kept], labels, right.names), replace(right.take(kept), names=right.names)


_MANY = "several keys of the one side belong to several of the other"
_MANY_HINT = "group both sides by the same labels, with by (...)"


def _of_one(left: Table, right: Table, column: int, *, all_of_left: bool) -> tuple[Table, Table]:
    """Nothing in common: the only row of the one side is that of all of the other."""
    if right.size == 1 or (right.size == 0 and all_of_left):
        place = np.full(left.size, right.size - 1)
        return left, _values_at(right, place, left.labels, left.names)
    if left.size == 1:
        place = np.zeros(right.size, np.intp)
        return _values_at(left, place, right.labels, right.names), right
    if left.size and right.size:
        raise RuleProblem(_MANY, column, _MANY_HINT)
    none = np.empty(0, np.intp)
    return left.take(none), replace(right.take(none), labels=left.labels.take(none), names=left.names)


def _values_at(table: Table, rows: NDArray[np.intp], labels: LabelSets, names: Labels) -> Table:
    """The values of chosen rows, NaN for row -1, under other keys."""
    if not table.size:
        return Table(labels, np.full((len(rows), table.values.shape[1]), np.nan), names)
    values = np.where((rows >= 0)[:, None], table.values[rows], np.nan)
    return Table(labels, values, names)


def _groups(left: LabelSets, right: LabelSets, names: Labels) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Numbers of rows, equal for rows that have the same labels of these names (of all, for None)."""
    every = LabelSets.concat([left, right] if names is None else [left.keep(names), right.keep(names)])
    groups = every.groups().of
    return groups[: left.size], groups[left.size :]


def _is_unique(groups: NDArray[np.intp], size: int) -> bool:
    return not len(groups) or int(np.bincount(groups, minlength=size).max()) <= 1


def looked_up(base: Table, table: Table, column: int) -> Floats:
    """For each key of the base the value of the key that belongs to it, NaN for none."""
    of_base, found = joined(base, table, column, all_of_left=True)
    if of_base.size != base.size:
        raise RuleProblem(_MANY, column, _MANY_HINT)
    return found.values


def projected(base: Table, truth: Truth) -> tuple[Bools, Bools]:
    """For each key of the base whether the condition holds for any key that belongs to it, and whether it fails.

    It fails where it fails for some and holds for none. Keys without any of the labels in common belong to all.
    """
    if base is truth.table:
        return truth.holds, truth.fails
    holds, fails = _any_of(base, truth.table, truth.holds), _any_of(base, truth.table, truth.fails)
    return holds, fails & ~holds


def _any_of(base: Table, other: Table, cells: Bools) -> Bools:
    names = common(base.names, other.names)
    if names == () or not other.size:
        return np.broadcast_to(cells.any(axis=0), base.values.shape)
    of_base, of_other = _groups(base.labels, other.labels, names)
    size = int(max(of_base.max(initial=-1), of_other.max(initial=-1))) + 1
    of_groups = np.zeros((size, cells.shape[1]), np.bool_)
    np.logical_or.at(of_groups, of_other, cells)
    found = of_groups[of_base]
    if names is not None:
        bare = np.all([other.labels.column(name).codes == 0 for name in names], axis=0)
        if bare.any():
            found = found | cells[bare].any(axis=0)
    return np.asarray(found)


def with_more(base: Table, other: Table) -> Table:
    """The base with values of the other where it has none, and the keys that only the other has."""
    if base.names != other.names:
        return base
    of_base, of_other = _groups(base.labels, other.labels, base.names)
    size = int(max(of_base.max(initial=-1), of_other.max(initial=-1))) + 1
    rows = np.full(size, -1)
    rows[of_other] = np.arange(other.size)
    filled = _values_at(other, rows[of_base], base.labels, base.names).values
    values = np.where(np.isnan(base.values), filled, base.values)
    new = np.flatnonzero(~np.isin(of_other, of_base))
    labels = LabelSets.concat([base.labels, other.labels.take(new)])
    return Table(labels, np.concatenate([values, other.values[new]]), base.names)
