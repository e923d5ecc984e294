"""Attribute lists become columns: one for each key and type, without a Python step per record or attribute.

Every entry gets a code from its key and its type; a stable sort by code puts the entries of one column side by side,
and one ``take`` lays them out over the records.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spanglass_server.ingest.any_values import BOOL, DOUBLE, EMPTY, INT, MEMBERS, STR, TYPE_CODES, AnyValues
from spanglass_server.ingest.columnar import Flat, byte_lengths, flatten, laid_out
from spanglass_server.ingest.values import composite_json
from spanglass_server.signals import AttributeColumn, ValueType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_AS_THEY_CAME = frozenset({STR, INT, DOUBLE, BOOL})
_CUTTABLE = frozenset({ValueType.STR, ValueType.JSON, ValueType.BYTES})
_RADIX_MAX = 1 << 16  # numpy sorts 16-bit integers by radix
_SPILL_MAX = 2_000_000  # overflowed entries of one position of one chunk
_KEY_BYTES_MAX = 256  # a longer key is kept, but in the overflow: footers hold every column's name


@dataclass(frozen=True, slots=True)
class ShredLimits:
    """What may become columns. Past a limit nothing is dropped: it overflows, or is cut with a mark, and is counted."""

    max_columns: int = 1000  # attribute columns a segment
    max_attributes: int = 256  # attributes of one record, event, link or exemplar
    max_value_bytes: int = 128 * 1024


@dataclass(slots=True)
class ShredCounts:
    """What limits did to the data."""

    overflowed: int = 0
    cut: int = 0
    duplicate_keys: int = 0
    dropped: int = 0

    def add(self, other: ShredCounts) -> None:
        """Add another chunk's counts."""
        self.overflowed += other.overflowed
        self.cut += other.cut
        self.duplicate_keys += other.duplicate_keys
        self.dropped += other.dropped


@dataclass(slots=True)
class ColumnBudget:
    """The attribute columns of one segment: admits new names until ``limit``. Not thread-safe."""

    limit: int
    _names: set[str] = field(default_factory=set)

    def admit(self, name: str) -> bool:
        """Whether the column may be part of the segment; remembers it if so."""
        if name in self._names:
            return True
        if len(self._names) >= self.limit:
            return False
        self._names.add(name)
        return True


@dataclass(frozen=True, slots=True)
class Owners:
    """Which records the lists at one position belong to: list ``i`` to the rows ``starts[i]`` up to ``ends[i]``."""

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    indexes: NDArray[np.int64] | None = None  # the place of an event, link or exemplar within its record

    @classmethod
    def records(cls, count: int) -> Owners:
        """Each list is a record's own."""
        rows = np.arange(count)
        return cls(rows, rows + 1)

    @classmethod
    def items(cls, flat: Flat) -> Owners:
        """Each list belongs to an item (event, link, exemplar) of a record."""
        return cls(flat.parents, flat.parents + 1, flat.ranks())

    def expand(self, parents: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """For entries of the lists ``parents``: which entry, and which row, for every record that owns one."""
        starts = self.starts[parents]
        counts = self.ends[parents] - starts
        source = np.repeat(np.arange(len(parents)), counts)
        within = np.arange(len(source)) - np.repeat(np.cumsum(counts) - counts, counts)
        return source, starts[source] + within


@dataclass(slots=True)
class Overflow:
    """Entries that did not become columns: the record's row, the column name, the value as text, the item's index."""

    rows: list[NDArray[np.int64]] = field(default_factory=list)
    names: list[Any] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    indexes: list[Any] = field(default_factory=list)

    def columns(self, row_count: int) -> dict[str, Any]:
        """The three overflow columns over ``row_count`` records; none if nothing overflowed."""
        if not self.rows:
            return {}
        rows = np.concatenate(self.rows)
        order = pa.array(np.argsort(rows, kind="stable"))
        offsets = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=row_count))])
        mask = pa.array(np.diff(offsets) == 0)
        starts = pa.array(offsets, type=pa.int32())
        parts = (
            ("overflow_name", self.names, pa.string()),
            ("overflow_value", self.values, pa.string()),
            ("overflow_index", self.indexes, pa.int32()),
        )
        return {
            name: pa.ListArray.from_arrays(
                starts, pa.chunked_array(chunks, type=kind).combine_chunks().take(order), mask=mask
            )
            for name, chunks, kind in parts
        }


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

    lists: NDArray[np.int64]  # which list each stands in
    ranks: NDArray[np.int64]  # its place in the list
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
        entries = Entries(flat.parents, flat.ranks(), keys, values.codes, _EncodedValues(values, self))
        return self._columns(position, entries, owners or Owners.records(len(lists)))

    def shred_texts(
        self, position: str, flat: Flat, keys: Any, values: Any, owners: Owners | None = None
    ) -> dict[str, Any]:
        """Columns of lists of texts, given by their keys (dictionary-encoded) and values; see ``shred``."""
        if not len(flat.parents):
            return {}
        types = np.full(len(flat.parents), STR, np.int64)
        entries = Entries(flat.parents, flat.ranks(), keys, types, _Texts(self.cut(values)))
        return self._columns(position, entries, owners or Owners.records(len(flat.offsets) - 1))

    def _columns(self, position: str, given: Entries, owners: Owners) -> dict[str, Any]:
        names, stored = given.keys.dictionary, given.stored
        key_codes = given.keys.indices.to_numpy().astype(np.int64)
        codes = key_codes * TYPE_CODES + given.types
        fits = given.ranks < self.limits.max_attributes
        columns: dict[str, Any] = {}
        spilled = [np.flatnonzero(~fits)]
        replaced = _replaced(given.lists, key_codes, codes, every_key=len(spilled[0]) > 0)
        if len(replaced):
            self.counts.duplicate_keys += len(replaced)
            fits[replaced] = False
            spilled = [np.setdiff1d(spilled[0], replaced)]
        for group in self._groups(position, codes, names, fits, spilled):
            entries = group.entries
            rows = given.lists[entries]
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
            entries = entries[_last_of_each(given.lists[entries], key_codes[entries])]
            entries, rows, items = self._owned(entries, given.lists, owners)
            names = pc.binary_join_element_wise(pa.scalar(position), _escaped(names), ".").take(pa.array(key_codes))
            self._spill(entries, rows, items, names, given.types, stored)
        return columns

    def _groups(
        self,
        position: str,
        codes: NDArray[np.int64],
        names: Any,
        fits: NDArray[np.bool_],
        spilled: list[NDArray[np.int64]],
    ) -> Iterator[_Group]:
        """Split entries by column, most frequent first; what gets no column is added to ``spilled``."""
        entries = np.flatnonzero(fits)
        present, inverse, sizes = _compact(codes[entries])
        order = entries[np.argsort(inverse, kind="stable")]
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


def _replaced(
    lists: NDArray[np.int64], keys: NDArray[np.int64], codes: NDArray[np.int64], *, every_key: bool
) -> NDArray[np.int64]:
    """Entries whose list has a later one of the same key: of equal keys the last stays, whatever its type.

    Only keys of several types are looked at, unless ``every_key``: equal keys of one type meet in their column. Most
    chunks have none.
    """
    several = np.zeros((int(keys.max()) + 1) * TYPE_CODES, bool)
    several[codes] = True
    several = several.reshape(-1, TYPE_CODES).sum(axis=1) > 1
    if not every_key and not several.any():
        return np.zeros(0, np.int64)
    candidates = np.arange(len(keys)) if every_key else np.flatnonzero(several[keys])
    return np.delete(candidates, _last_of_each(lists[candidates], keys[candidates]))


def _last_of_each(lists: NDArray[np.int64], keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each key of each list stands last, ascending."""
    pairs = lists * (int(keys.max()) + 1) + keys
    _, from_end = np.unique(pairs[::-1], return_index=True)
    return np.sort(len(pairs) - 1 - from_end)


def _compact(codes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[Any], NDArray[np.int64]]:
    """``np.unique`` with inverse and counts; by counting where codes are small, which is 6 times quicker."""
    if not len(codes):
        return codes, codes, codes
    top = int(codes.max()) + 1
    if top > 4 * len(codes) + 4096:
        present, inverse, sizes = np.unique(codes, return_inverse=True, return_counts=True)
        return present, inverse, sizes
    totals = np.bincount(codes, minlength=top)
    present = np.flatnonzero(totals)
    lookup = np.zeros(top, np.uint16 if len(present) <= _RADIX_MAX else np.int64)
    lookup[present] = np.arange(len(present))
    return present, lookup[codes], totals[present]


def stored_type(type_code: int) -> ValueType:
    """How values of a type code are stored."""
    return ValueType.JSON if type_code == EMPTY else MEMBERS[type_code][1]


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


def as_text(values: Any, stored: ValueType) -> Any:
    """An overflowed value as text that reads back to the same value."""
    if stored is ValueType.BYTES:
        return pa.array([None if v is None else v.hex() for v in values.to_pylist()], type=pa.string())
    if stored is ValueType.DOUBLE:
        return pa.array([repr(v) for v in values.to_pylist()], type=pa.string())
    return values.cast(pa.string())
