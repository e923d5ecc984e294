"""Attribute lists become columns: one for each key and type, without a Python step per record or attribute.

Every entry gets a code from its key and its type; a stable sort by code puts the entries of one column side by side,
and one ``take`` lays them out over the records.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spanglass_server.ingest.attributes.codes import compact, last_of_each, replaced, stored_type
from spanglass_server.ingest.attributes.composites import composite_json
from spanglass_server.ingest.attributes.limits import ColumnBudget, ShredCounts, ShredLimits
from spanglass_server.ingest.attributes.overflow import Overflow, as_text
from spanglass_server.ingest.attributes.owners import Owners
from spanglass_server.ingest.columnar import Flat, byte_lengths, flatten, laid_out
from spanglass_server.ingest.protobuf.any_values import BOOL, DOUBLE, EMPTY, INT, MEMBERS, STR, TYPE_CODES, AnyValues
from spanglass_server.signals import AttributeColumn, ValueType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_AS_THEY_CAME = frozenset({STR, INT, DOUBLE, BOOL})
_CUTTABLE = frozenset({ValueType.STR, ValueType.JSON, ValueType.BYTES})
_SPILL_MAX = 2_000_000  # overflowed entries of one position of one chunk
_KEY_BYTES_MAX = 256  # a longer key is kept, but in the overflow: footers hold every column's name


@dataclass(frozen=True, slots=True)
class _Group:
    """The entries of one column, in the order of their rows."""

    column: AttributeColumn
    entries: NDArray[np.int64]
    type_code: int


class StoredValues(ABC):
    """The values of all entries at one position."""

    @abstractmethod
    def take(self, type_code: int, places: NDArray[np.int64]) -> Any:
        """Those of one type at these places, as they are stored."""


@dataclass(frozen=True, slots=True)
class Entries:
    """Keys and values of the attribute lists at one position, one list after another."""

    flat: Flat  # which list each stands in
    keys: Any  # pa.DictionaryArray
    types: NDArray[Any]  # type codes
    stored: StoredValues


class AttributeShredder:
    """Shreds the attribute lists of one chunk; collects its overflow and counts.

    ``values_are_usual``: see ``AnyValues``.
    """

    def __init__(self, budget: ColumnBudget, limits: ShredLimits, *, values_are_usual: bool = False) -> None:
        self._values_are_usual = values_are_usual
        self.budget = budget
        self.limits = limits
        self.overflow = Overflow()
        self.counts = ShredCounts()

    def shred(self, position: str, lists: Any, owners: Owners | None = None) -> dict[str, Any]:
        """Columns of the attributes at ``position``, as long as ``lists``; by default each list is a record's own."""
        flat = flatten(lists)
        if not len(flat.parents):
            return {}
        values = AnyValues(flat.values.field("value"), are_usual=self._values_are_usual)
        keys = flat.values.field("key").dictionary_encode()
        entries = Entries(flat, keys, values.codes, _EncodedValues(values, self))
        return self._columns(position, entries, owners or Owners.records(len(lists)))

    def shred_texts(
        self, position: str, flat: Flat, keys: Any, values: Any, owners: Owners | None = None
    ) -> dict[str, Any]:
        """Columns of lists of texts, given by their keys (dictionary-encoded) and values; see ``shred``."""
        if not len(flat.parents):
            return {}
        types = np.full(len(flat.parents), STR, np.int64)
        entries = Entries(flat, keys, types, _Texts(self.cut(values)))
        return self._columns(position, entries, owners or Owners.records(len(flat.offsets) - 1))

    def _columns(self, position: str, given: Entries, owners: Owners) -> dict[str, Any]:
        names, stored, lists = given.keys.dictionary, given.stored, given.flat.parents
        key_codes = given.keys.indices.to_numpy().astype(np.int64)
        codes = key_codes * TYPE_CODES + given.types
        columns: dict[str, Any] = {}
        beyond = _beyond(given.flat, self.limits.max_attributes)
        earlier = replaced(lists, key_codes, codes, every_key=len(beyond) > 0)
        self.counts.duplicate_keys += len(earlier)
        spilled = [np.setdiff1d(beyond, earlier) if len(earlier) else beyond]
        entries = _all_but(beyond, earlier, len(codes))
        for group in self._groups(position, codes, names, entries, spilled):
            entries = group.entries
            rows = lists[entries]
            is_last = rows[1:] != rows[:-1]  # of two equal keys the last one stays
            if not is_last.all():
                self.counts.duplicate_keys += int((~is_last).sum())
                is_last = np.append(is_last, True)
                entries, rows = entries[is_last], rows[is_last]
            column = laid_out(stored.take(group.type_code, entries), rows, len(owners.starts))
            previous = columns.get(group.column.name)  # arrays, maps and empty values share the JSON column
            columns[group.column.name] = column if previous is None else pc.coalesce(previous, column)
        entries = np.sort(np.concatenate(spilled))
        if len(entries):
            entries = entries[last_of_each(lists[entries], key_codes[entries])]
            entries, rows, items = self._owned(entries, lists, owners)
            names = pc.binary_join_element_wise(pa.scalar(position), _escaped(names), ".").take(pa.array(key_codes))
            self._spill(entries, rows, items, names, given.types, stored)
        return columns

    def _groups(
        self,
        position: str,
        codes: NDArray[np.int64],
        names: Any,
        entries: NDArray[np.int64] | None,
        spilled: list[NDArray[np.int64]],
    ) -> Iterator[_Group]:
        """Split entries (None: all) by column, most frequent first; what gets no column is added to ``spilled``."""
        present, inverse, sizes = compact(codes if entries is None else codes[entries])
        order = np.argsort(inverse, kind="stable")
        if entries is not None:
            order = entries[order]
        starts = np.concatenate([[0], np.cumsum(sizes)])
        ranking = np.argsort(-sizes, kind="stable")
        tried = 0
        # 64 more than there is room for: some of the first may be known already and take none
        most = self.budget.limit + 64
        for place in ranking[:most]:
            tried += 1
            key_code, type_code = divmod(int(present[place]), TYPE_CODES)
            column = AttributeColumn(position, names[key_code].as_py(), stored_type(type_code))
            group = order[starts[place] : starts[place + 1]]
            if _is_column_name(column.key) and self.budget.admit(column.name):
                yield _Group(column, group, type_code)
            else:
                spilled.append(group)
        spilled.extend(order[starts[place] : starts[place + 1]] for place in ranking[tried:])

    def stored(self, any_values: AnyValues, type_code: int) -> Any:
        """The values of one member over all entries, null where there is another, as they are stored."""
        if type_code == EMPTY:
            return pa.repeat(pa.scalar("null"), len(any_values))
        return self.converted(any_values.member(type_code), type_code)

    def converted(self, values: Any, type_code: int) -> Any:
        """Values of one member as they are stored."""
        member, stored = MEMBERS[type_code]
        if stored is ValueType.JSON:
            values = composite_json(values, is_map=member == "kvlist_value", max_bytes=8 * self.limits.max_value_bytes)
        return self.cut(values) if stored in _CUTTABLE else values

    def cut(self, values: Any) -> Any:
        """Cut texts or bytes past the limit, with a mark that says how long they were."""
        long = np.flatnonzero(byte_lengths(values) > self.limits.max_value_bytes)
        if not len(long):
            return values
        self.counts.cut += len(long)
        shorter = [_cut_value(values[int(i)].as_py(), self.limits.max_value_bytes) for i in long]
        mask = np.zeros(len(values), bool)
        mask[long] = True
        return pc.replace_with_mask(values, pa.array(mask), pa.array(shorter, type=values.type))

    def _owned(
        self, entries: NDArray[np.int64], lists: NDArray[np.int64], owners: Owners
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64] | None]:
        """Entries without a column, once for every record they belong to: the entry, the row, the item's index."""
        source, rows = owners.expand(lists[entries])
        if len(source) > _SPILL_MAX:  # a resource of 100 000 keys over 10 000 records; the rest is counted as lost
            self.counts.dropped += len(source) - _SPILL_MAX
            source, rows = source[:_SPILL_MAX], rows[:_SPILL_MAX]
        self.counts.overflowed += len(source)
        entries = entries[source]
        return entries, rows, None if owners.indexes is None else owners.indexes[lists[entries]]

    def _spill(
        self,
        entries: NDArray[np.int64],
        rows: NDArray[np.int64],
        items: NDArray[np.int64] | None,
        names: Any,
        types: NDArray[Any],
        stored: StoredValues,
    ) -> None:
        """Keep entries in the overflow of their records."""
        for type_code in np.unique(types[entries]):
            chosen = np.flatnonzero(types[entries] == type_code)
            kind = stored_type(int(type_code))
            places = entries[chosen]
            own_names = names.take(pa.array(places))
            self.overflow.rows.append(rows[chosen])
            self.overflow.values.append(as_text(stored.take(int(type_code), places), kind))
            self.overflow.names.append(pc.binary_join_element_wise(own_names, pa.scalar(str(kind)), ":"))
            self.overflow.indexes.append(
                pa.nulls(len(chosen), pa.int32()) if items is None else pa.array(items[chosen], type=pa.int32())
            )


class _EncodedValues(StoredValues):
    """Each member is converted once, when first needed, for all entries; texts are taken as they came.

    50 000 keys with an array each would otherwise decode all arrays once for every column.
    """

    def __init__(self, values: AnyValues, shredder: AttributeShredder) -> None:
        self._values = values
        self._shredder = shredder
        self._converted: dict[int, Any] = {}

    def take(self, type_code: int, places: NDArray[np.int64]) -> Any:
        """See ``StoredValues``."""
        values, shredder = self._values, self._shredder
        is_short = type_code != STR or values.longest <= shredder.limits.max_value_bytes
        if type_code in _AS_THEY_CAME and not values.unusual and is_short:
            return values.take(type_code, places)
        if type_code not in self._converted:
            self._converted[type_code] = shredder.stored(values, type_code)
        return self._converted[type_code].take(pa.array(places))


class _Texts(StoredValues):
    """Texts only."""

    def __init__(self, texts: Any) -> None:
        self._texts = texts

    def take(self, type_code: int, places: NDArray[np.int64]) -> Any:
        """See ``StoredValues``."""
        del type_code
        return self._texts.take(pa.array(places))


def _beyond(flat: Flat, most: int) -> NDArray[np.int64]:
    """The entries that have as many before them in their list."""
    if flat.counts.max(initial=0) <= most:
        return np.zeros(0, np.int64)
    return np.flatnonzero(flat.ranks() >= most)


def _all_but(some: NDArray[np.int64], others: NDArray[np.int64], count: int) -> NDArray[np.int64] | None:
    """The numbers below ``count`` without these; None if that is all of them."""
    if not len(some) and not len(others):
        return None
    return np.delete(np.arange(count), np.concatenate([some, others]))


def _escaped(keys: Any) -> Any:
    """Keys as ``AttributeColumn.name`` writes them."""
    marked = pc.replace_substring_regex(keys, pattern=r"([A-Z^])", replacement=r"^\1")
    return pc.ascii_lower(marked)


def _is_column_name(key: str) -> bool:
    return len(key.encode()) <= _KEY_BYTES_MAX and key.isprintable()


def _cut_value(value: str | bytes, limit: int) -> str | bytes:
    body = value if isinstance(value, bytes) else value.encode()
    mark = f"… [cut, {len(body)} bytes]"
    return body[:limit] + mark.encode() if isinstance(value, bytes) else body[:limit].decode(errors="ignore") + mark
