"""Series on one grid of times, as panels draw them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Grid:
    """The times of a panel: ``first_ms`` and then every ``step_ms``, ``size`` times.

    A value at a time tells of the ``step_ms`` before it, this end included. One time alone tells of the whole range.
    """

    first_ms: int
    step_ms: int
    size: int

    @property
    def times_ms(self) -> NDArray[np.int64]:
        """All times."""
        return self.first_ms + self.step_ms * np.arange(self.size, dtype=np.int64)

    @property
    def last_ms(self) -> int:
        """The last time."""
        return self.first_ms + self.step_ms * (self.size - 1)


@dataclass(frozen=True, slots=True)
class Lines:
    """n series at m times: ``values`` (n, m), NaN where there is none. ``labels`` name each."""

    labels: tuple[dict[str, str], ...]
    values: NDArray[np.float64]

    @classmethod
    def none(cls, size: int) -> Lines:
        """No series, at ``size`` times."""
        return cls((), np.empty((0, size)))

    def take(self, rows: NDArray[np.intp]) -> Lines:
        """Chosen series."""
        return Lines(tuple(self.labels[row] for row in rows.tolist()), self.values[rows])


@dataclass(frozen=True, slots=True)
class Table:
    """Rows that are no series."""

    columns: list[dict[str, str]]
    rows: list[list[Any]]


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What a query gave: series on the grid (or at ``times_ms`` of its own), or a table, and what there is to tell.

    ``unit`` is known of measures. ``records`` is a filter of the records behind it, with ``signal``, if it has any.
    """

    lines: Lines | None = None
    table: Table | None = None
    times_ms: NDArray[np.int64] | None = None
    notes: tuple[str, ...] = ()
    unit: str = ""
    signal: str = ""
    records: str = ""
    heatmap: Heatmap | None = None


@dataclass(frozen=True, slots=True)
class Heatmap:
    """Counts in buckets: ``bounds`` are the upper ends, rising; ``counts`` is (buckets, times)."""

    bounds: list[float]
    counts: NDArray[np.float64]


def calculate(values: NDArray[np.float64], calculation: str) -> NDArray[np.float64]:
    """One number of each series (n, m); NaN for one that has none."""
    present = ~np.isnan(values)
    some = present.any(axis=1)
    if not values.size:
        return np.full(len(values), np.nan)
    first = np.argmax(present, axis=1)
    last = values.shape[1] - 1 - np.argmax(present[:, ::-1], axis=1)
    rows = np.arange(len(values))
    filled = np.where(present, values, 0.0)
    count = present.sum(axis=1)
    results = {
        "last": lambda: values[rows, last],
        "first": lambda: values[rows, first],
        "mean": lambda: filled.sum(axis=1) / np.maximum(count, 1),
        "min": lambda: np.where(present, values, np.inf).min(axis=1),
        "max": lambda: np.where(present, values, -np.inf).max(axis=1),
        "sum": lambda: filled.sum(axis=1),
        "count": lambda: count.astype(np.float64),
        "delta": lambda: values[rows, last] - values[rows, first],
    }
    return np.where(some, results[calculation](), np.nan)
