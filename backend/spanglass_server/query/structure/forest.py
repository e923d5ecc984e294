"""How the spans of some traces stand to each other: which have one that is marked as a child, ancestor, sibling ...

Rows are looked at all at once: ids become numbers, and relations steps from numbers to numbers.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spanglass_server.query.language.compiling.relations import COMPARED, holds_for_none
from spanglass_server.query.language.parsing.ast import OPPOSITES, Operator, Relation
from spanglass_server.query.structure.kept_filter import IDS
from spanglass_server.store.batches.traces import taken, with_one_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from numpy.typing import NDArray

    from spanglass_server.query.structure.kept_filter import Others
    from spanglass_server.store.batches.columns import Places
    from spanglass_server.store.batches.reading import Batch

    Keys = NDArray[np.uint64]
    Flags = NDArray[np.bool_]

_ID_BYTES = 8
#: Odd, so that the numbers of traces are spread over all of a key; two of 100 000 spans share one by chance once in
#: four billion searches. Nobody knows it, so nobody can send ids that do. The other does the same for pairs of keys.
_SPREAD, _SPREAD_OF_PAIRS = (np.uint64(secrets.randbits(64) | 1) for _ in range(2))
#: Pairs of a span and one above or below it that are counted here: 32 MB. A chain of spans that all match has the
#: square of its length.
_MOST_PAIRS = 2_000_000


class ManyPairsError(Exception):
    """Counting what stands above or below spans would take too much memory."""


@dataclass(frozen=True, slots=True)
class Forest:
    """Spans of some traces, row by row: the number of its trace, its key and that of its parent.

    Keys are of a trace and an id. ``has_id`` and ``has_parent`` are false where there is none; ``rows`` are the places
    of the spans in each batch, and ``sizes`` how many rows those have.
    """

    traces: NDArray[np.int64]
    keys: Keys
    parents: Keys
    has_id: Flags
    has_parent: Flags
    rows: Sequence[Places]
    sizes: Sequence[int]

    @classmethod
    def of(cls, batches: Sequence[Batch], trace_ids: Collection[bytes]) -> Forest | None:
        """Read the ids of all rows of some traces; None if one of a span is not of eight bytes."""
        wanted = pa.array(trace_ids, pa.binary())
        rows = [with_one_of(batch, IDS[0], wanted) for batch in batches]
        found = [(taken(batch, of, IDS), len(of)) for batch, of in zip(batches, rows, strict=True)]
        columns = [pa.concat_arrays([binary(part.get(name), count) for part, count in found]) for name in IDS]
        traces, ids, parents = columns[0], *map(_numbers, columns[1:])
        if ids is None or parents is None:
            return None
        codes = traces.dictionary_encode().indices.to_numpy().astype(np.int64)
        spread = codes.astype(np.uint64) * _SPREAD
        sizes = [batch.rows for batch in batches]
        return cls(codes, ids ^ spread, parents ^ spread, ids != 0, parents != 0, rows, sizes)

    def flags(self, places: Sequence[Places]) -> Flags:
        """Mark those of its rows that are among some places in each batch."""
        found = []
        for size, own, of_batch in zip(self.sizes, self.rows, places, strict=True):
            is_among = np.zeros(size, np.bool_)
            is_among[of_batch] = True
            found.append(is_among[own])
        return np.concatenate(found)

    def places(self, flags: Flags) -> list[Places]:
        """The places of marked rows in each batch."""
        ends = np.cumsum([len(own) for own in self.rows])[:-1]
        return [own[part] for own, part in zip(self.rows, np.split(flags, ends), strict=True)]

    def having(self, asked: Others, others: Flags) -> Flags:
        """Which rows have as many of some others standing so to them as are asked for; raises ManyPairsError."""
        if holds_for_none(asked.operator, asked.count):
            return ~self._having(asked.relation, others, OPPOSITES[asked.operator], asked.count)
        return self._having(asked.relation, others, asked.operator, asked.count)

    def _having(self, relation: Relation, others: Flags, compares: Operator, count: int) -> Flags:
        """The same of numbers that zero is not one of."""
        if relation is Relation.SIBLING:
            return self._having_siblings(others, COMPARED[compares], count)
        if (compares, count) == (Operator.GREATER_EQUAL, 1):
            return self._having_one(relation, others)
        found: Flags = COMPARED[compares](self._counted(relation, others), count)
        return found

    def _having_one(self, relation: Relation, others: Flags) -> Flags:
        match relation:
            case Relation.TRACE | Relation.ROOT:
                of = others if relation is Relation.TRACE else others & ~self.has_parent
                return is_in(self.traces, self.traces[of])
            case Relation.PARENT:
                return self.has_parent & is_in(self.parents, self.keys[others & self.has_id])
            case Relation.CHILD:
                return self.has_id & is_in(self.keys, self.parents[others & self._edges])
            case Relation.DESCENDANT:
                first = self.parents[others & self._edges]
                return self.has_id & is_in(self.keys, self._reached(first, self.keys, self.parents, itself=True))
            case _:
                first = self.keys[others & self.has_id]
                return self.has_id & is_in(self.keys, self._reached(first, self.parents, self.keys, itself=False))

    def _having_siblings(self, others: Flags, compares: Callable[[Any, int], Any], count: int) -> Flags:
        """Which rows have so many, of their own id none; ids that several rows have are meant if one of them is."""
        pairs = self.parents * _SPREAD_OF_PAIRS + self.keys
        are_children = others & self.has_parent
        firsts = _firsts(pairs, are_children)
        members = _times(self.parents, self.parents[firsts])
        is_meant = self.has_parent & (members > 0)
        is_meant &= compares(members - (self.has_id & is_in(pairs, pairs[firsts])), count)
        return self.has_id & is_in(self.keys, self.keys[is_meant & self.has_id])

    def _counted(self, relation: Relation, others: Flags) -> NDArray[np.int64]:
        """How many others stand so to each row; those that share an id count once."""
        is_one = others & self.has_id
        match relation:
            case Relation.TRACE | Relation.ROOT:
                firsts = _firsts(self.keys, is_one if relation is Relation.TRACE else is_one & ~self.has_parent)
                return _times(self.traces, self.traces[firsts])
            case Relation.PARENT:
                return (self.has_parent & is_in(self.parents, self.keys[is_one])).astype(np.int64)
            case Relation.CHILD:
                firsts = _firsts(self.parents * _SPREAD_OF_PAIRS + self.keys, others & self._edges)
                found = _times(self.keys, self.parents[firsts])
            case Relation.DESCENDANT:
                first = others & self._edges
                pairs = self.parents[first], self.keys[first]
                found = _times(self.keys, self._met(pairs, self.keys, self.parents, itself=True))
            case _:
                pairs = self.keys[is_one], self.keys[is_one]
                found = _times(self.keys, self._met(pairs, self.parents, self.keys, itself=False))
        return np.where(self.has_id, found, 0)

    @property
    def _edges(self) -> Flags:
        """Rows that have another span as their parent."""
        found: Flags = self.has_id & self.has_parent & (self.keys != self.parents)
        return found

    def _reached(self, first: Keys, start: Keys, end: Keys, *, itself: bool) -> Keys:
        """All keys that edges lead to from some, step by step; with the first if ``itself``. Circles end it too."""
        edges = np.flatnonzero(self._edges)
        order = edges[np.argsort(start[edges])]
        starts, ends = start[order], end[order]
        seen, at = np.zeros(len(order), np.bool_), first
        while len(at):
            places, _ = _steps(starts, at)
            is_new = np.zeros_like(seen)
            is_new[places] = True
            is_new &= ~seen
            seen |= is_new
            at = ends[is_new]
        return np.concatenate([first, ends[seen]]) if itself else ends[seen]

    def _met(self, first: tuple[Keys, Keys], start: Keys, end: Keys, *, itself: bool) -> Keys:
        """The same from pairs of a key and one that it was begun with: each key as often as it is met by others."""
        edges = np.flatnonzero(self._edges)
        order = edges[np.argsort(start[edges])]
        starts, ends = start[order], end[order]
        met, seen = [np.empty(0, np.uint64)], np.empty(0, np.uint64)
        at, begun = first
        is_met = itself
        while len(at):
            if len(seen) + len(at) > _MOST_PAIRS:
                raise ManyPairsError
            if is_met:
                pairs, firsts = np.unique(at * _SPREAD_OF_PAIRS + begun, return_index=True)
                is_new = ~is_in(pairs, seen)
                seen, firsts = np.concatenate([seen, pairs[is_new]]), firsts[is_new]
                at, begun = at[firsts], begun[firsts]
                met.append(at)
            places, counts = _steps(starts, at)
            at, begun, is_met = ends[places], np.repeat(begun, counts), True
        return np.concatenate(met)


def binary(column: Any, rows: int) -> Any:
    """A column of ids, nulls where a batch lacks it."""
    return pa.nulls(rows, pa.binary()) if column is None else pc.cast(column, pa.binary())


def _steps(starts: Keys, at: Keys) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The places of the edges that start at some keys, those of one after those of another, and how many each has."""
    begin = np.searchsorted(starts, at)
    counts = np.searchsorted(starts, at, "right") - begin
    return np.repeat(begin - np.cumsum(counts) + counts, counts) + np.arange(counts.sum()), counts


def is_in(numbers: NDArray[Any], wanted: NDArray[Any]) -> Flags:
    """Which numbers are among some others: by a table of them, since numpy would sort both, in five times the time."""
    found: Flags = pc.is_in(pa.array(numbers), value_set=pa.array(wanted)).to_numpy(zero_copy_only=False)
    return found


def _firsts(numbers: NDArray[Any], among: Flags) -> NDArray[np.intp]:
    """The places of each number among some rows, once."""
    places = np.flatnonzero(among)
    return places[np.unique(numbers[places], return_index=True)[1]]


def _times(numbers: NDArray[Any], found: NDArray[Any]) -> NDArray[np.int64]:
    """How often each number was found."""
    values, counts = np.unique(found, return_counts=True)
    places = pc.index_in(pa.array(numbers), value_set=pa.array(values))
    times: NDArray[np.int64] = np.append(counts, 0)[pc.fill_null(places, len(counts)).to_numpy(zero_copy_only=False)]
    return times


def _numbers(ids: Any) -> Keys | None:
    """Ids as numbers, none as zero; None if one is not of eight bytes."""
    try:
        fixed = pc.fill_null(ids, bytes(_ID_BYTES)).cast(pa.binary(_ID_BYTES))
    except pa.ArrowInvalid:
        return None
    numbers: Keys = np.frombuffer(fixed.buffers()[1], np.uint64, len(fixed), fixed.offset * _ID_BYTES)
    return numbers
