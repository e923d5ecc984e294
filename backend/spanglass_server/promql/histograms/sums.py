"""Sums of numbers sorted by group, of which some may have none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.evaluation.aggregations.sums import segment_sums

if TYPE_CHECKING:
    from numpy.typing import NDArray


def starts(group: NDArray[np.intp]) -> NDArray[np.intp]:
    """Where each group begins among values sorted by group."""
    if not len(group):
        return np.empty(0, np.intp)
    return np.flatnonzero(np.concatenate([[True], group[1:] != group[:-1]]))


def group_sums(values: NDArray[np.float64], group: NDArray[np.intp], size: int) -> NDArray[np.float64]:
    """The sum of each group, compensated as all sums are, 0 without values; ``group`` is sorted."""
    out = np.zeros(size)
    begin = starts(group)
    out[group[begin]] = segment_sums(values, begin)
    return out
