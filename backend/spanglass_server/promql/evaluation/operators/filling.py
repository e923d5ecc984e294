"""Fill modifiers: a number in place of a series that the other side lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.evaluation.cells import concat, take
from spanglass_server.promql.evaluation.operators.matching import Match, counted, present_by_group
from spanglass_server.promql.histograms.expressions.operators import computable
from spanglass_server.promql.series.labels import NAMING
from spanglass_server.promql.series.vectors import Vector

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.promql.parsing.nodes import Binary, Matching


def filled(node: Binary, many: Vector, one: Vector, groups: Match) -> tuple[Vector, Vector, Match]:
    """Both sides with series besides, of the matching labels alone, where the other side has a group that they lack.

    The side of one also lacks a partner where there are some, but none that the operator can combine it with.
    """
    matching = node.matching
    of_many, of_one = matching.fill_left, matching.fill_right
    if matching.many == "right":
        of_many, of_one = of_one, of_many
    there_many = present_by_group(many, groups.left, groups.size) > 0
    there_one = present_by_group(one, groups.right, groups.size) > 0
    left, right, unfilled = groups.left, groups.right, one
    if of_one is not None:
        added, rows = _filling(many, groups.left, there_many & ~there_one, of_one, matching)
        one, right = concat(one, added), np.concatenate([groups.right, rows])
    if of_many is not None:
        alone = there_one & ~_combined(node, many, unfilled, groups)
        added, rows = _filling(unfilled, groups.right, alone, of_many, matching)
        many, left = concat(many, added), np.concatenate([groups.left, rows])
    return many, one, Match(left, right, groups.size)


def _combined(node: Binary, many: Vector, one: Vector, groups: Match) -> NDArray[np.bool_]:
    """Where there is a pair of a group with a value, shape (groups, m)."""
    many_rows, one_rows = groups.pairs()
    sides = take(many, many_rows), take(one, one_rows)
    left, right = reversed(sides) if node.matching.many == "right" else sides
    return counted(computable(node.op, left, right), groups.left[many_rows], groups.size) > 0


def _filling(
    other: Vector, groups: NDArray[np.intp], missing: NDArray[np.bool_], value: float, matching: Matching
) -> tuple[Vector, NDArray[np.intp]]:
    """A series for each group that is missing somewhere, with the labels of the other side's, and these groups."""
    first = np.full(len(missing), -1, np.intp)
    first[groups[::-1]] = np.arange(len(groups))[::-1]
    rows = np.flatnonzero(missing.any(axis=1))
    labels = other.labels.take(first[rows])
    labels = labels.keep(matching.labels) if matching.on else labels.drop({*matching.labels, *NAMING})
    return Vector(labels, np.full((len(rows), missing.shape[1]), value), missing[rows]), rows
