"""The values of a quantity on a fixed grid of times, read in blocks that are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.engine import range_query
from spanglass_server.promql.series.labels import NAME
from spanglass_server.promql.series.vectors import Scalar, Steps, Vector

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from spanglass_server.alerting.model import Key
    from spanglass_server.promql.engine import Options
    from spanglass_server.promql.ports import SeriesSource
    from spanglass_server.store.part_cache import PartCache


@dataclass(frozen=True, slots=True)
class Quantity:
    """What is measured: PromQL with a series a key, of which the labels ``keys_by`` count; all where there are none."""

    promql: str
    keys_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """Times at multiples of ``step_ms`` since 1970, kept in blocks; one question reads ``at_once`` blocks at most."""

    step_ms: int
    per_block: int
    at_once: int


@dataclass(frozen=True, slots=True)
class Table:
    """Values of keys, shape (keys, n); NaN where there is none."""

    keys: tuple[Key, ...]
    values: NDArray[np.float64]

    @classmethod
    def filled(cls, keys: tuple[Key, ...], values: NDArray[np.float64]) -> Table:
        """Only the keys that have a value, so that it depends on nothing that was read beside it."""
        rows = np.flatnonzero(~np.isnan(values).all(axis=1))
        return cls(tuple(keys[row] for row in rows.tolist()), values[rows])

    @property
    def bytes(self) -> int:
        """About how much memory it takes."""
        return self.values.nbytes + 200 * len(self.keys) + 500

    def rows(self, keys: Sequence[Key]) -> NDArray[np.float64]:
        """The values of these keys, in their order."""
        if self.keys == tuple(keys):
            return self.values
        # One row more than there are keys, for those that are not there.
        padded = np.concatenate([self.values, np.full((1, self.values.shape[1]), np.nan)])
        place = {key: row for row, key in enumerate(self.keys)}
        return padded[[place.get(key, -1) for key in keys]]


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads a quantity from a source. A block depends on nothing but its times, so it may be kept."""

    source: SeriesSource
    options: Options
    cache: PartCache
    quantity: Quantity

    def at(self, grid: Grid, places: NDArray[np.int64]) -> Table:
        """The values at places on a grid (times over its step), of any shape: the table's values are (keys, *shape)."""
        block, inside = np.divmod(places, grid.per_block)
        numbers, of_place = np.unique(block, return_inverse=True)
        blocks = self._blocks(grid, numbers.tolist())
        keys = all_keys(blocks)
        shape = (len(keys), len(blocks), grid.per_block)
        values = np.stack([each.rows(keys) for each in blocks], axis=1) if blocks else np.empty(shape)
        return Table(keys, values[:, of_place.reshape(places.shape), inside])

    def _blocks(self, grid: Grid, numbers: Sequence[int]) -> list[Table]:
        found = {number: self.cache.get(self._key(grid, number)) for number in numbers}
        missing = [number for number, block in found.items() if block is None]
        for run in _runs(missing, grid.at_once):
            for number, block in zip(run, self._read(grid, run), strict=True):
                found[number] = block
                self.cache.put(self._key(grid, number), block, block.bytes)
        return [found[number] for number in numbers]

    def _key(self, grid: Grid, number: int) -> tuple[object, ...]:
        return ("block", self.quantity, grid, number)

    def _read(self, grid: Grid, run: Sequence[int]) -> list[Table]:
        """Blocks side by side, in one question; there is nothing before 1970."""
        if run[0] < 0:
            empty = Table((), np.empty((0, grid.per_block)))
            return [empty] + (self._read(grid, run[1:]) if run[1:] else [])
        steps = Steps(run[0] * grid.per_block * grid.step_ms, grid.step_ms, grid.per_block * len(run))
        whole = table_of(range_query(self.source, self.quantity.promql, steps, self.options).value, self.quantity)
        parts = whole.values.reshape(len(whole.keys), len(run), grid.per_block)
        return [Table.filled(whole.keys, np.ascontiguousarray(parts[:, place])) for place in range(len(run))]


def _runs(numbers: Iterable[int], longest: int) -> list[list[int]]:
    """Numbers that follow one another, together."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1 and len(runs[-1]) < longest:
            runs[-1].append(number)
        else:
            runs.append([number])
    return runs


def table_of(value: object, quantity: Quantity) -> Table:
    """The value of an expression by keys; what is no finite number counts as missing. A number has one key, ()."""
    if isinstance(value, Scalar):
        return Table(((),), _finite(value.values)[None])
    if not isinstance(value, Vector):
        return Table((), np.empty((0, 0)))
    labels = value.labels.keep(set(quantity.keys_by)) if quantity.keys_by else value.labels.drop({NAME})
    keys = tuple(tuple(row.items()) for row in labels.rows())
    values = np.where(value.present, _finite(value.values), np.nan)
    first = {key: row for row, key in reversed(list(enumerate(keys)))}
    order = sorted(first)
    return Table(tuple(order), values[[first[key] for key in order]])


def _finite(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.isfinite(values), values, np.nan)


def all_keys(tables: Iterable[Table]) -> tuple[Key, ...]:
    """The keys that any of them has, sorted."""
    distinct = {table.keys for table in tables}
    return tuple(sorted({key for keys in distinct for key in keys}))
