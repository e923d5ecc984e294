"""Spans by the other spans of their traces, found in columns that are kept: for parts of a range that are small.

What SQL takes to be planned and to open files is four times what it takes to look at some ten thousand spans here.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spanglass_server.query.kept_columns.matching import matching_rows
from spanglass_server.query.kept_columns.terms import terms_of
from spanglass_server.query.language import compile_filter
from spanglass_server.query.language.compiling.pins import asks_for_pins
from spanglass_server.query.language.compiling.relations import asks_about_others
from spanglass_server.query.language.compiling.sql import Sql, all_of
from spanglass_server.query.language.parsing.ast import And, Operator, Related, Relation
from spanglass_server.query.structure.kept_durations import (
    LASTING_COLUMNS,
    duration_terms,
    is_of_duration,
    of_lasting_traces,
)
from spanglass_server.signals import TIME_COLUMN, Signal
from spanglass_server.store.batches.traces import taken, with_one_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from spanglass_server.query.kept_columns.terms import Term
    from spanglass_server.query.language.parsing.ast import Filter
    from spanglass_server.store.batches.columns import Places
    from spanglass_server.store.batches.reading import Batch
    from spanglass_server.store.ports import Window

    Keys = NDArray[np.uint64]
    Flags = NDArray[np.bool_]

_TIME = TIME_COLUMN[Signal.SPANS]
_IDS = ("trace_id", "span_id", "parent_span_id")
_ID_BYTES = 8
#: Odd, so that the numbers of traces are spread over all of a key; two of 100 000 spans share one by chance once in
#: four billion searches. Nobody knows it, so nobody can send ids that do.
_SPREAD = np.uint64(secrets.randbits(64) | 1)
#: Relations that are looked up here. Siblings are counted, and so left to SQL.
_KNOWN = frozenset(Relation) - {Relation.SIBLING}


@dataclass(frozen=True, slots=True)
class KeptFilter:
    """Comparisons of spans themselves, and of others of which each span has to have one that stands so to it.

    ``lasting`` compares how long their traces last.
    """

    own: Sequence[Term]
    others: Sequence[tuple[Relation, Sequence[Term]]]
    lasting: Sequence[Term] = ()


def kept_filter(tree: Filter, known: Mapping[str, int], more: Sequence[Sql]) -> KeptFilter | None:
    """Return a filter, and ``more`` conditions of the spans themselves, so; None if it asks for more than that."""
    parts = tree.terms if isinstance(tree, And) else (tree,)
    others = [part for part in parts if isinstance(part, Related)]
    durations = [part for part in parts if is_of_duration(part)]
    own = And(tuple(part for part in parts if not isinstance(part, Related) and part not in durations))
    conditions = (own, *(each.term for each in others))
    if any(map(_is_counted, others)) or any(asks_about_others(each, Signal.SPANS) for each in conditions):
        return None
    if asks_for_pins(tree):  # it says ids, and which these are the table of pins has to tell
        return None
    of_spans, lasting, found = _compared(own, known, more), duration_terms(durations), []
    for each in others:
        terms = _compared(each.term, known)
        if terms is None:
            return None
        found.append((each.relation, terms))
    return None if of_spans is None or lasting is None else KeptFilter(of_spans, found, lasting)


def _is_counted(node: Related) -> bool:
    return node.relation not in _KNOWN or (node.operator, node.count) != (Operator.GREATER_EQUAL, 1)


def _compared(tree: Filter, known: Mapping[str, int], more: Sequence[Sql] = ()) -> Sequence[Term] | None:
    compiled = compile_filter(tree, Signal.SPANS, known)
    is_all = isinstance(tree, And) and not tree.terms
    return terms_of(all_of([*([] if is_all else [Sql(compiled.sql, tuple(compiled.parameters))]), *more]), Signal.SPANS)


def own_rows(batches: Sequence[Batch], wanted: KeptFilter, window: Window) -> list[Places]:
    """The places of the spans of a window that match by themselves, of each batch."""
    return [matching_rows(batch, wanted.own, window, _TIME) for batch in batches]


def related_rows(
    batches: Sequence[Batch], wanted: KeptFilter, own: list[Places], reach: Callable[[Relation], Window]
) -> list[Places] | None:
    """Those of ``own_rows`` that match by the other spans too; None if ids are not what they should be.

    ``reach`` says when the others may begin, which the batches have all spans of.
    """
    if wanted.lasting and any(map(len, own)):
        own = of_lasting_traces(batches, own, wanted.lasting, reach(Relation.TRACE))
    if not wanted.others or not any(map(len, own)):
        return own
    others = [
        (relation, [matching_rows(batch, terms, reach(relation), _TIME) for batch in batches])
        for relation, terms in wanted.others
    ]
    forest = _Forest.of(batches, traces_of_rows(batches, others[0][1]))
    if forest is None:
        return None
    matched = forest.flags(own)
    for relation, places in others:
        matched &= forest.having(relation, forest.flags(places))
    return forest.places(matched)


def traces_of_rows(batches: Sequence[Batch], places: Sequence[Places]) -> Collection[bytes]:
    """The traces of some rows: only they can have a row with such others."""
    found = [taken(batch, of, _IDS[:1]).get(_IDS[0]) for batch, of in zip(batches, places, strict=True) if len(of)]
    ids = pc.unique(pa.chunked_array([_binary(each, 0) for each in found], pa.binary()))
    return [trace_id for trace_id in ids.to_pylist() if trace_id is not None]


@dataclass(frozen=True, slots=True)
class _Forest:
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
    def of(cls, batches: Sequence[Batch], trace_ids: Collection[bytes]) -> _Forest | None:
        """Read the ids of all rows of some traces; None if one of a span is not of eight bytes."""
        rows = [with_one_of(batch, _IDS[0], trace_ids) for batch in batches]
        found = [(taken(batch, of, _IDS), len(of)) for batch, of in zip(batches, rows, strict=True)]
        columns = [pa.concat_arrays([_binary(part.get(name), count) for part, count in found]) for name in _IDS]
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

    def having(self, relation: Relation, others: Flags) -> Flags:
        """Which rows have one of some others that stands so to them."""
        match relation:
            case Relation.TRACE | Relation.ROOT:
                of = others if relation is Relation.TRACE else others & ~self.has_parent
                return _is_in(self.traces, self.traces[of])
            case Relation.PARENT:
                return self.has_parent & _is_in(self.parents, self.keys[others & self.has_id])
            case Relation.CHILD:
                return self.has_id & _is_in(self.keys, self.parents[others & self._edges])
            case Relation.DESCENDANT:
                first = self.parents[others & self._edges]
                return self.has_id & _is_in(self.keys, self._reached(first, self.keys, self.parents, itself=True))
            case _:
                first = self.keys[others & self.has_id]
                return self.has_id & _is_in(self.keys, self._reached(first, self.parents, self.keys, itself=False))

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
            begin, until = np.searchsorted(starts, at), np.searchsorted(starts, at, "right")
            counts = until - begin
            is_new = np.zeros_like(seen)
            is_new[np.repeat(begin - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())] = True
            is_new &= ~seen
            seen |= is_new
            at = ends[is_new]
        return np.concatenate([first, ends[seen]]) if itself else ends[seen]


def _is_in(numbers: NDArray[Any], wanted: NDArray[Any]) -> Flags:
    """Which numbers are among some others: by a table of them, since numpy would sort both, in five times the time."""
    found: Flags = pc.is_in(pa.array(numbers), value_set=pa.array(wanted)).to_numpy(zero_copy_only=False)
    return found


def _binary(column: Any, rows: int) -> Any:
    """A column of ids, nulls where a batch lacks it."""
    return pa.nulls(rows, pa.binary()) if column is None else pc.cast(column, pa.binary())


def _numbers(ids: Any) -> Keys | None:
    """Ids as numbers, none as zero; None if one is not of eight bytes."""
    try:
        fixed = pc.fill_null(ids, bytes(_ID_BYTES)).cast(pa.binary(_ID_BYTES))
    except pa.ArrowInvalid:
        return None
    numbers: Keys = np.frombuffer(fixed.buffers()[1], np.uint64, len(fixed), fixed.offset * _ID_BYTES)
    return numbers


def columns_of(wanted: KeptFilter) -> Collection[str]:
    """The stored columns that are read for a filter."""
    compared = {term.column for terms in (wanted.own, *(terms for _, terms in wanted.others)) for term in terms}
    compared |= set(LASTING_COLUMNS) if wanted.lasting else set()
    return compared.union(_IDS) if wanted.others else compared
