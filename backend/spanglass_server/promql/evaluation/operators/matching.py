"""Which series of two vectors belong together, by labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.errors import execution_error
from spanglass_server.promql.evaluation.cells import occupied
from spanglass_server.promql.series.labels import NAMING, UNNAMED, LabelSets
from spanglass_server.promql.series.text import label_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.promql.parsing.nodes import Matching
    from spanglass_server.promql.series.vectors import Vector


@dataclass(frozen=True, slots=True)
class Match:
    """The group of each series of both sides; series with equal matching labels are one group of ``size``."""

    left: NDArray[np.intp]
    right: NDArray[np.intp]
    size: int

    def pairs(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """All pairs of series of one group, by the order of the left side."""
        order = np.argsort(self.right, kind="stable")
        ends = np.cumsum(np.bincount(self.right, minlength=self.size))
        begins = np.concatenate(([0], ends[:-1])) if self.size else ends
        counts = (ends - begins)[self.left]
        lefts = np.repeat(np.arange(len(self.left)), counts)
        within = np.arange(len(lefts)) - np.repeat(np.cumsum(counts) - counts, counts)
        return lefts, order[begins[self.left][lefts] + within]


def match(left: LabelSets, right: LabelSets, matching: Matching) -> Match:
    """Group the series of both sides by the labels that must be equal."""
    both = LabelSets.concat([left, right])
    names = matching.labels if matching.on else set(both.columns) - {*matching.labels, *NAMING}
    groups = both.groups(names)
    return Match(groups.of[: left.size], groups.of[left.size :], groups.size)


def present_by_group(vector: Vector, groups: NDArray[np.intp], size: int) -> NDArray[np.int64]:
    """How many series of each group there are at each step: shape (groups, m)."""
    return counted(occupied(vector), groups, size)


def counted(cells: NDArray[np.bool_], groups: NDArray[np.intp], size: int) -> NDArray[np.int64]:
    """How many cells of each group are set at each step: shape (groups, m)."""
    columns = cells.shape[1]
    rows, places = np.nonzero(cells)
    return np.bincount(groups[rows] * columns + places, minlength=size * columns).reshape(size, columns)


def check_one(vector: Vector, groups: NDArray[np.intp], asked: NDArray[np.bool_], matching: Matching) -> None:
    """Refuse several series of one group at a step on the side that must have one; ``asked`` are the steps."""
    cells = occupied(vector) & asked
    size = int(groups.max(initial=-1)) + 1
    several = counted(cells, groups, size) > 1
    if not several.any():
        return
    group, step = (int(place) for place in np.argwhere(several)[0])
    first, second = np.flatnonzero((groups == group) & cells[:, step])[:2].tolist()
    labels = vector.labels.drop({UNNAMED})
    names = matching.labels if matching.on else set(labels.columns) - {*matching.labels, *NAMING}
    side = "left" if matching.many == "right" else "right"
    rows = [label_text(row) for row in labels.take(np.array([first, second])).rows()]
    shared = label_text(labels.keep(names).take(np.array([first])).rows()[0])
    raise execution_error(
        f"found duplicate series for the match group {shared} "
        f"on the {side} hand-side of the operation: [{rows[0]}, {rows[1]}];"
        "many-to-many matching not allowed: matching labels must be unique on one side"
    )
