"""Counts of records by series, step of time and bucket; and those of several questions out of one statement."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.series.labels import LabelSets
from spanglass_server.promql.stored.decoding.streams import encoded

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from spanglass_server.promql.stored.counting.recurring import Asked


@dataclass(frozen=True, slots=True)
class Counts:
    """How many records each series has in each step: a cell for each that has any.

    Step n ends at n times its length since 1970, the end included. ``bucket`` is the place of the duration's bound.
    """

    labels: LabelSets
    series: NDArray[np.intp]
    step: NDArray[np.int64]
    bucket: NDArray[np.int64]
    value: NDArray[np.float64]

    def coarser(self, times: int) -> Counts:
        """The same in steps that are so many times as long; a series may have several cells in a step."""
        return self if times == 1 else replace(self, step=-(-self.step // times))

    @property
    def bytes(self) -> int:
        """About how much memory they take."""
        return 32 * len(self.step) + sum(80 * len(c.values) for c in self.labels.columns.values()) + 500


NOTHING = Counts(LabelSets(0), np.empty(0, np.intp), np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))

_Cell = tuple["NDArray[np.intp]", "NDArray[np.int64]", "NDArray[np.int64]", "NDArray[np.float64]"]


@dataclass(frozen=True, slots=True)
class Cells:
    """What one statement counted for several questions: the labels of each row, its step and its bucket.

    Rows are told apart by all labels and bounds that any of the questions asks for.
    """

    labels: LabelSets
    step: NDArray[np.int64]
    bucket: NDArray[np.int64]
    _series: dict[frozenset[str], tuple[LabelSets, NDArray[np.intp]]] = field(default_factory=dict)

    @classmethod
    def of(cls, found: pa.Table, names: Sequence[str]) -> Cells:
        """The rows of a statement's answer, of which nothing else is kept: one column would hold all of them."""
        labels = LabelSets(found.num_rows, {name: encoded(found[f"label.{name}"], str) for name in names})
        return cls(labels, found["step"].to_numpy().copy(), found["bucket"].to_numpy().copy())

    def counts(self, asked: Asked, value: pa.ChunkedArray) -> Counts:
        """The counts of one question, whose value is null in rows without any of its records."""
        names = asked.named.union(asked.metric.family.labels).intersection(self.labels.columns)
        sets, series = self._series_of(names)
        step = self.step
        bucket = self.bucket if asked.metric.has_bounds else np.zeros(len(step), np.int64)
        if value.null_count:
            rows = np.flatnonzero(value.is_valid().to_numpy())
            if not len(rows):
                return NOTHING
            series, step, bucket, value = series[rows], step[rows], bucket[rows], value.drop_null()
            used, series = np.unique(series, return_inverse=True)
            sets = sets.take(used)
        return Counts(sets, *_added_up(series, step, bucket, value.to_numpy().copy()))

    def _series_of(self, names: frozenset[str]) -> tuple[LabelSets, NDArray[np.intp]]:
        """The series that some labels tell apart, and that of each row."""
        if names not in self._series:
            labels = self.labels.keep(names)
            groups = labels.groups()
            self._series[names] = labels.take(groups.first), groups.of
        return self._series[names]


def _added_up(
    series: NDArray[np.intp], step: NDArray[np.int64], bucket: NDArray[np.int64], value: NDArray[np.float64]
) -> _Cell:
    """One cell for each series, step and bucket."""
    low, buckets = int(step.min()), int(bucket.max()) + 1
    steps = int(step.max()) - low + 1
    code = (series.astype(np.int64) * steps + (step - low)) * buckets + bucket
    _, first, cell = np.unique(code, return_index=True, return_inverse=True)
    if len(first) == len(code):
        return series, step, bucket, value
    return series[first], step[first], bucket[first], np.bincount(cell, weights=value).astype(np.float64, copy=False)
