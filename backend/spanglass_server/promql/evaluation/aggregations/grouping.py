"""Series in groups for aggregation: rows of one group side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.series.labels import NAMING, LabelSets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from spanglass_server.promql.parsing.nodes import Aggregate


@dataclass(frozen=True, slots=True)
class Grouped:
    """Groups with their labels: the rows of group g are ``order[starts[g]:starts[g] + sizes[g]]``."""

    labels: LabelSets
    of: NDArray[np.intp]
    order: NDArray[np.intp]
    starts: NDArray[np.intp]
    sizes: NDArray[np.intp]

    def sorted(self, cells: NDArray[np.generic]) -> NDArray[np.generic]:
        """Rows of one group side by side; the same array if they are so already."""
        return cells if (self.order[1:] > self.order[:-1]).all() else cells[self.order]

    def by_size(self) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """The groups of equal size together: their numbers, and their rows in the shape (groups, size)."""
        for size in np.unique(self.sizes).tolist():
            groups = np.flatnonzero(self.sizes == size)
            yield groups, self.order[self.starts[groups][:, None] + np.arange(size)]


def group(labels: LabelSets, node: Aggregate) -> Grouped:
    """The groups of an aggregation ``by`` or ``without`` labels."""
    kept = labels.drop({*node.labels, *NAMING}) if node.without else labels.keep(node.labels)
    groups = kept.groups()
    sizes = np.bincount(groups.of, minlength=groups.size)
    starts = np.cumsum(sizes) - sizes
    return Grouped(kept.take(groups.first), groups.of, np.argsort(groups.of, kind="stable"), starts, sizes)
