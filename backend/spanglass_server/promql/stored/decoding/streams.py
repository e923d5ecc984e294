"""Streams: what tells the points of one sender's series from all others, as columns of text.

A column is named by position and key, ``point.http.route`` or ``resource.service.name``. What OTLP knows besides of a
scope is ``scope_field.name``, ``scope_field.version``; ``label.le`` and ``label.quantile`` are labels that the series
of histograms and summaries have.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from spanglass_server.promql.series.labels import LabelColumn, LabelSets
from spanglass_server.promql.stored.naming.texts import TEXT_OF, plain_float
from spanglass_server.signals import AttributeColumn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

_HASH = 2**64 - 1
#: Fixed columns that tell streams apart.
SCOPE_FIELDS = {"scope_name": "scope_field.name", "scope_version": "scope_field.version"}


@dataclass(frozen=True, slots=True)
class Streams:
    """The identities of streams in columns; ``keys`` are equal for equal ones, in whatever part they are found.

    ``since_ms`` is the start of what each one's writer counts (0: unknown), where that tells writers apart.
    """

    columns: LabelSets
    keys: NDArray[np.uint64]
    since_ms: NDArray[np.int64] | None = None

    @classmethod
    def of(cls, columns: LabelSets) -> Streams:
        """Streams with their keys: two of a million meet by chance once in 10^7 tables."""
        keys = np.zeros(columns.size, np.uint64)
        for name, column in columns.columns.items():
            hashes = [0, *(hash((name, value)) & _HASH for value in column.values[1:])]
            keys += np.array(hashes, np.uint64)[column.codes]
        return cls(columns, keys)

    def take(self, rows: NDArray[np.intp]) -> Streams:
        """Chosen streams, in the order of ``rows``."""
        since_ms = None if self.since_ms is None else self.since_ms[rows]
        return Streams(self.columns.take(rows), self.keys[rows], since_ms)

    def written_since(self, since_ms: NDArray[np.int64]) -> Streams:
        """The same streams with the starts of their writers."""
        return Streams(self.columns, self.keys, since_ms)

    def with_label(self, name: str, of: NDArray[np.intp], column: LabelColumn) -> Streams:
        """Several streams of each, ``of`` these, told apart by a label."""
        told = Streams.of(self.columns.take(of).replace({f"label.{name}": column}))
        return told if self.since_ms is None else told.written_since(self.since_ms[of])

    @property
    def bytes(self) -> int:
        """About how much memory they take."""
        return sum(column.codes.nbytes + 80 * len(column.values) for column in self.columns.columns.values()) + 200


def read_streams(table: pa.Table) -> Streams:
    """Streams from rows of stored columns."""
    columns: dict[str, list[LabelColumn]] = defaultdict(list)
    for name in table.column_names:
        attribute = AttributeColumn.parse(name)
        if attribute is not None:
            columns[f"{attribute.position}.{attribute.key}"].append(encoded(table[name], TEXT_OF[attribute.type]))
        elif name in SCOPE_FIELDS:
            columns[SCOPE_FIELDS[name]].append(encoded(table[name], str))
    if "overflow_name" in table.column_names:
        for name, column in _overflow(table).items():
            columns[name].append(column)
    merged = {name: _first_of(several) for name, several in columns.items()}
    return Streams.of(LabelSets(table.num_rows, {n: c for n, c in merged.items() if c.codes.any()}))


def bound_column(values: NDArray[np.float64]) -> LabelColumn:
    """Bounds or quantiles as values of a label."""
    distinct, codes = np.unique(values, return_inverse=True)
    texts = tuple(plain_float(value) for value in distinct.tolist())
    return LabelColumn((codes + 1).astype(np.int32), ("", *texts))


def encoded(column: Any, text_of: Callable[[Any], str]) -> LabelColumn:
    """Any stored column as text; the values in order, so that the same values are the same tuple."""
    array = column.combine_chunks()
    array = array.chunk(0) if isinstance(array, pa.ChunkedArray) else array
    if not pa.types.is_dictionary(array.type):
        array = array.dictionary_encode()
    texts = ["" if value is None else text_of(value) for value in array.dictionary.to_pylist()]
    values = ("", *sorted({*texts} - {""}))
    places = {text: place for place, text in enumerate(values)}
    codes = np.array([*(places[text] for text in texts), 0], np.int32)
    return LabelColumn(codes[array.indices.fill_null(len(texts)).to_numpy(zero_copy_only=False)], values)


def _first_of(columns: Sequence[LabelColumn]) -> LabelColumn:
    """One column of a key that was sent with several types: of each stream the one that it has."""
    if len(columns) == 1:
        return columns[0]
    texts = [next((text for text in row if text), "") for row in zip(*(c.texts() for c in columns), strict=True)]
    return LabelColumn.of(texts)


def _overflow(table: pa.Table) -> Mapping[str, LabelColumn]:
    """Attributes past the limit of columns, but those of exemplars."""
    found: dict[str, dict[int, str]] = defaultdict(dict)
    lists = (table[name].to_pylist() for name in ("overflow_name", "overflow_value", "overflow_index"))
    for row, (names, values, indexes) in enumerate(zip(*lists, strict=True)):
        for name, value, index in zip(names or (), values or (), indexes or (), strict=True):
            attribute = AttributeColumn.parse(name)
            if index is None and attribute is not None:
                found[f"{attribute.position}.{attribute.key}"][row] = value or ""
    return {name: LabelColumn.of([rows.get(row, "") for row in range(table.num_rows)]) for name, rows in found.items()}
