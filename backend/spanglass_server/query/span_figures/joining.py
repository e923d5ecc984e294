"""Cells of many parts as one table of figures.

Nearly all records of one moment lie in one part, so most cells are whole in one: their percentiles are read off. Only
the durations of the others are looked through.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from spanglass_server.query.span_figures.cells import sort_together

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray

    from spanglass_server.query.span_figures.cells import Cells
    from spanglass_server.query.span_figures.columns import Numbers

QUANTILES = (0.5, 0.95, 0.99)
#: So many groups are looked through one by one, which is quicker than sorting them all together.
_FEW = 512
_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of groups and steps; ``quantiles_ns`` has a row for each and a column for each of ``QUANTILES``."""

    labels: tuple[Hashable, ...]
    group: Numbers
    step: Numbers
    spans: Numbers
    failed: Numbers
    total_ns: Numbers
    quantiles_ns: NDArray[np.float64]

    def rows(self) -> list[dict[str, Any]]:
        """Each as ``label``, ``step``, ``requests``, ``errors``, ``total_ns`` and ``quantiles_ns``."""
        columns = (self.group, self.step, self.spans, self.failed, self.total_ns, self.quantiles_ns)
        return [
            {
                "label": self.labels[group],
                "step": step,
                "requests": spans,
                "errors": failed,
                "total_ns": total_ns,
                "quantiles_ns": quantiles_ns,
            }
            for group, step, spans, failed, total_ns, quantiles_ns in zip(*(c.tolist() for c in columns), strict=True)
        ]


def join(parts: Sequence[Cells], *, are_sorted: bool = True) -> Figures:
    """Add up the cells of several parts; ``are_sorted`` says that the durations of each cell are."""
    places: dict[Hashable, int] = {}
    groups = [_translated(cells, places) for cells in parts]
    group, step = np.concatenate(groups), np.concatenate([cells.step for cells in parts])
    first = int(step.min(initial=2**62)) if len(step) else 0
    steps = int(step.max(initial=0)) - first + 1 if len(step) else 1
    keys, place = np.unique(group * steps + (step - first), return_inverse=True)
    begins, sizes, durations = _laid_out(parts)
    spans, failed, total_ns = (np.zeros(len(keys), np.int64) for _ in range(3))
    np.add.at(spans, place, sizes)
    np.add.at(failed, place, np.concatenate([cells.failed for cells in parts]))
    if len(durations):
        np.add.at(total_ns, place, np.add.reduceat(durations, begins))
        if float(durations.max()) * len(durations) >= _LARGEST:  # a sum of centuries may have gone past the end
            about_ns = np.zeros(len(keys))
            np.add.at(about_ns, place, np.add.reduceat(durations.astype(np.float64), begins))
            total_ns[about_ns >= _LARGEST] = _LARGEST
    quantiles = np.empty((len(keys), len(QUANTILES)))
    alone = (np.bincount(place, minlength=len(keys)) == 1)[place] if are_sorted else np.zeros(len(place), bool)
    quantiles[place[alone]] = read_off(durations, begins[alone], sizes[alone])
    _look_through(quantiles, durations, begins[~alone], sizes[~alone], place[~alone])
    return Figures(tuple(places), keys // steps, keys % steps + first, spans, failed, total_ns, quantiles)


def _translated(cells: Cells, places: dict[Hashable, int]) -> Numbers:
    """The groups of a part's cells by the places of labels among those of all parts."""
    codes = np.array([places.setdefault(label, len(places)) for label in cells.labels], np.int64)
    return codes[cells.group]


def _laid_out(parts: Sequence[Cells]) -> tuple[Numbers, Numbers, Numbers]:
    """The durations of all parts one after another, where those of each cell begin, and how many it has."""
    offsets = np.cumsum([0, *(len(cells.duration_ns) for cells in parts[:-1])])
    begins = [cells.bounds[:-1] + offset for cells, offset in zip(parts, offsets, strict=True)]
    sizes = [np.diff(cells.bounds) for cells in parts]
    return np.concatenate(begins), np.concatenate(sizes), np.concatenate([cells.duration_ns for cells in parts])


def read_off(durations: Numbers, begins: Numbers, sizes: Numbers) -> NDArray[np.float64]:
    """The quantiles of runs of durations in rising order."""
    found = np.empty((len(begins), len(QUANTILES)))
    for column, quantile in enumerate(QUANTILES):
        position = (sizes - 1) * quantile
        low = np.floor(position)
        share = position - low
        below = durations[begins + low.astype(np.int64)]
        above = durations[begins + np.ceil(position).astype(np.int64)]
        found[:, column] = below * (1 - share) + above * share  # as quantile_cont does, to the last bit
    return found


def _look_through(
    quantiles: NDArray[np.float64], durations: Numbers, begins: Numbers, sizes: Numbers, place: Numbers
) -> None:
    """Put the quantiles of cells into their places; those of one place belong together, in any order."""
    if not len(place):
        return
    if len(set(place.tolist())) <= _FEW:
        slices: dict[int, list[Numbers]] = defaultdict(list)
        for at, begin, size in zip(place.tolist(), begins.tolist(), sizes.tolist(), strict=True):
            slices[at].append(durations[begin : begin + size])
        for at, pieces in slices.items():
            quantiles[at] = _partitioned(np.concatenate(pieces))
        return
    rows = np.repeat(begins - np.cumsum(sizes) + sizes, sizes) + np.arange(int(sizes.sum()))
    code, values = sort_together(np.repeat(place, sizes), durations[rows])
    firsts = np.flatnonzero(np.diff(code, prepend=-1))
    quantiles[code[firsts]] = read_off(values, firsts, np.diff(np.append(firsts, len(code))))


def _partitioned(values: Numbers) -> NDArray[np.float64]:
    """The quantiles of values in no order; they are moved."""
    ranks = [(len(values) - 1) * quantile for quantile in QUANTILES]
    values.partition(sorted({place for rank in ranks for place in (int(np.floor(rank)), int(np.ceil(rank)))}))
    found: NDArray[np.float64] = read_off(values, np.array([0]), np.array([len(values)]))[0]
    return found
