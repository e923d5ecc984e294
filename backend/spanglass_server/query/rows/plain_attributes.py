"""Attributes of stored rows as the JSON that the API shows, made a column at a time.

A trace of 50 000 spans has a million and a half attributes. Most of them are those of a few dozen resources, which are
made once and shared, and most columns hold values that are JSON already.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spanglass_server.overflow import overflow_entries
from spanglass_server.query.rows.attributes import plain_value
from spanglass_server.query.rows.json_values import MAX_SAFE_INTEGER
from spanglass_server.signals import LIST_POSITIONS, AttributeColumn, ValueType

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

Json = dict[str, Any]
#: Positions whose attributes are alike in most rows of a table.
_SHARED = ("resource", "scope")
_NOTHING: Json = {}
#: Rows of a table that is read value by value: for so few, work on whole columns takes longer to begin than to do.
_FEW = 200
#: Marking numbers takes less time than sorting them up to this many times as many possible ones.
_GAPS = 8
#: Types whose values are JSON as they stand.
_JSON_TYPES = frozenset({ValueType.STR, ValueType.BOOL})


class Kinds(NamedTuple):
    """Sets of equal rows: the first row of each, the set of each row, and the attributes of the sets, as rows."""

    firsts: Sequence[int]
    of_row: Sequence[int]
    attributes: PlainAttributes


class PlainAttributes:
    """The attributes of a table of stored rows, as plain JSON by key, in the order of keys (docs/api.md).

    What is returned may be shared by many rows: it is to be read, not changed.
    """

    def __init__(self, table: pa.Table) -> None:
        self._table = table
        self._records: dict[str, Mapping[int, Json]] = {}
        self._items: dict[str, Mapping[tuple[int, int], Json]] = {}

    def of_record(self, position: str, row: int) -> Json:
        """Attributes of a row's span, log record or point, of its resource or of its scope."""
        if position not in self._records:
            self._records[position] = self._shared(position) if position in _SHARED else self._by_row(position)
        return self._records[position].get(row, _NOTHING)

    def of_item(self, position: str, row: int, index: int) -> Json:
        """Attributes of one of a row's events, links or exemplars."""
        if position not in self._items:
            self._items[position] = self._by_item(position)
        return self._items[position].get((row, index), _NOTHING)

    def keys(self, position: str) -> set[str]:
        """All keys that a position's attributes have in the table."""
        overflow = (entry[2] for entry in self._overflow)
        in_columns = (attribute for attribute, _ in self._columns[position])
        return {attribute.key for attribute in (*in_columns, *overflow) if attribute.position == position}

    def kinds(self, position: str, keys: Collection[str], beside: Sequence[str]) -> Kinds | None:
        """Number the sets of rows that have the same values of some keys, and in the columns named ``beside``.

        None where that is not worth it or may tell less than each row: for few rows, and those with an overflow.
        """
        if self._table.num_rows <= _FEW or self._overflow:
            return None
        own = [attribute.name for attribute, _ in self._columns[position] if attribute.key in keys]
        named = self._table.select([*own, *(name for name in beside if name in self._table.column_names)])
        firsts, of_row = _distinct(named.columns, self._table.num_rows)
        return Kinds(firsts, of_row.tolist(), PlainAttributes(named.take(pa.array(firsts))))

    @cached_property
    def _columns(self) -> Mapping[str, list[tuple[AttributeColumn, Any]]]:
        """The columns of each position that have values, in the order of their keys."""
        found = defaultdict(list)
        for name, column in zip(self._table.column_names, self._table.columns, strict=True):
            attribute = AttributeColumn.parse(name)
            if attribute is not None and column.null_count < len(column):
                found[attribute.position].append((attribute, column))
        for columns in found.values():
            columns.sort(key=lambda pair: pair[0].key)
        return found

    @cached_property
    def _overflow(self) -> list[tuple[int, int, AttributeColumn, Any]]:
        return [*overflow_entries(self._table)]

    def _by_row(self, position: str) -> dict[int, Json]:
        records: dict[int, Json] = {}
        for attribute, column in self._columns[position]:
            key = attribute.key
            for row, value in _values(attribute, column):
                record = records.get(row)
                if record is None:
                    records[row] = {key: value}
                else:
                    record[key] = value
        for row, _, attribute, value in self._overflow:
            if attribute.position == position:
                records.setdefault(row, {})[attribute.key] = plain_value(attribute.type, value)
                records[row] = dict(sorted(records[row].items()))
        return records

    def _shared(self, position: str) -> dict[int, Json]:
        """As ``_by_row``, from one row of each set of rows that have the same values."""
        if self._table.num_rows <= _FEW or self._overflow:  # which may tell rows apart that look alike
            return self._by_row(position)
        columns = [column for _, column in self._columns[position]]
        firsts, kinds = _distinct(columns, self._table.num_rows)
        records = PlainAttributes(self._table.take(pa.array(firsts)))._by_row(position)  # noqa: SLF001 - of this class
        return {row: records.get(kind, _NOTHING) for row, kind in enumerate(kinds.tolist())}

    def _by_item(self, position: str) -> dict[tuple[int, int], Json]:
        items: dict[tuple[int, int], Json] = {}
        for attribute, column in self._columns[position]:
            for row, values in _present(column):
                for index, value in enumerate(values):
                    if value is not None:
                        items.setdefault((row, index), {})[attribute.key] = plain_value(attribute.type, value)
        for row, index, attribute, value in self._overflow:
            if attribute.position == position and position in LIST_POSITIONS:
                items.setdefault((row, index), {})[attribute.key] = plain_value(attribute.type, value)
                items[row, index] = dict(sorted(items[row, index].items()))
        return items


def _rows(column: Any) -> list[int]:
    """The rows in which a column has a value."""
    rows: list[int] = pc.indices_nonzero(column.is_valid()).to_pylist()
    return rows


def _present(column: Any) -> Iterator[tuple[int, Any]]:
    """A column's rows and values that are there."""
    if len(column) <= _FEW:
        return ((row, value) for row, value in enumerate(column.to_pylist()) if value is not None)
    return zip(_rows(column), column.drop_null().to_pylist(), strict=True)


def _values(attribute: AttributeColumn, column: Any) -> Iterator[tuple[int, Any]]:
    """A column's rows and values that are there; those that are JSON as they stand are not looked at one by one."""
    if len(column) <= _FEW:
        pairs = _present(column)
        if attribute.type in _JSON_TYPES:
            return pairs
        return ((row, plain_value(attribute.type, value)) for row, value in pairs)
    present = decoded(column).drop_null()
    values = present.to_pylist()
    if not _is_json(attribute.type, present):
        values = [plain_value(attribute.type, value) for value in values]
    return zip(_rows(column), values, strict=True)


def _is_json(kind: ValueType, present: Any) -> bool:
    """Whether no value of a column needs to be marked or written as text."""
    if kind is ValueType.INT:
        span = pc.min_max(present)
        return bool(span["min"].as_py() >= -MAX_SAFE_INTEGER and span["max"].as_py() <= MAX_SAFE_INTEGER)
    if kind is ValueType.DOUBLE:
        return bool(pc.all(pc.is_finite(present)).as_py())
    return kind in _JSON_TYPES


def _distinct(columns: Sequence[Any], count: int) -> tuple[list[int], Any]:
    """Number the sets of equal rows, without gaps: the first row of each set, and each row's number."""
    numbers, sets = np.zeros(count, dtype=np.int64), min(count, 1)
    for column in columns:
        codes, values = encoded(column)
        numbers, sets = _without_gaps(numbers * (len(values) + 1) + codes + 1, sets * (len(values) + 1))
    firsts = np.empty(sets, dtype=np.int64)
    firsts[numbers[::-1]] = np.arange(count)[::-1]  # the first row is written last
    return firsts.tolist(), numbers


def _without_gaps(numbers: Any, below: int) -> tuple[Any, int]:
    """Number the different ones of some numbers below a bound anew, in their order; and how many they are.

    Where the bound is not much above their count, by marking those that are there: sorting 100,000 takes 7 ms.
    """
    if below > _GAPS * len(numbers):
        found, numbers = np.unique(numbers, return_inverse=True)
        return numbers, len(found)
    is_there = np.zeros(below, dtype=np.bool_)
    is_there[numbers] = True
    places = np.cumsum(is_there) - 1
    return places[numbers], int(is_there.sum())


def encoded(column: Any) -> tuple[Any, Any]:
    """A column as codes, -1 where it has no value, and the array of values that they count in."""
    array = column.combine_chunks()
    if not pa.types.is_dictionary(array.type):  # chunks in memory have such columns already
        array = array.dictionary_encode()
    return array.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64), array.dictionary


def decoded(column: Any) -> Any:
    """A column of values, whether it was one of codes or not."""
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
