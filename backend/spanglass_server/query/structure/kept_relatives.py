"""Spans by the other spans of their traces, found in columns that are kept: for parts of a range that are small.

What SQL takes to be planned and to open files is four times what it takes to look at some ten thousand spans here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from spanglass_server.query.kept_columns.matching import matching_rows
from spanglass_server.query.language.compiling.relations import holds_for_none
from spanglass_server.query.language.parsing.ast import Relation
from spanglass_server.query.structure.forest import Forest, ManyPairsError, binary
from spanglass_server.query.structure.kept_figures import of_traces_with
from spanglass_server.query.structure.kept_filter import IDS
from spanglass_server.signals import TIME_COLUMN, Signal
from spanglass_server.store.batches.traces import taken

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from spanglass_server.query.structure.kept_filter import KeptFilter, Others
    from spanglass_server.store.batches.columns import Places
    from spanglass_server.store.batches.reading import Batch
    from spanglass_server.store.ports import Window

_TIME = TIME_COLUMN[Signal.SPANS]


def own_rows(batches: Sequence[Batch], wanted: KeptFilter, window: Window) -> list[Places]:
    """The places of the spans of a window that match by themselves, of each batch."""
    return [matching_rows(batch, wanted.own, window, _TIME) for batch in batches]


def related_rows(
    batches: Sequence[Batch], wanted: KeptFilter, own: list[Places], reach: Callable[[Relation], Window]
) -> list[Places] | None:
    """Those of ``own_rows`` that match by the other spans too; None if ids are not what they should be.

    ``reach`` says when the others may begin, which the batches have all spans of. None, too, where very many spans
    would have to be counted.
    """
    if wanted.figures and any(map(len, own)):
        own = of_traces_with(batches, own, wanted.figures, reach(Relation.TRACE))
    if not wanted.others or not any(map(len, own)):
        return own
    others = [
        (asked, [matching_rows(batch, asked.terms, reach(asked.relation), _TIME) for batch in batches])
        for asked in wanted.others
    ]
    forest = Forest.of(batches, _traces_that_may(batches, own, others))
    if forest is None:
        return None
    matched = forest.flags(own)
    try:
        for asked, places in others:
            matched &= forest.having(asked, forest.flags(places))
    except ManyPairsError:
        return None
    return forest.places(matched)


def _traces_that_may(
    batches: Sequence[Batch], own: Sequence[Places], others: Sequence[tuple[Others, Sequence[Places]]]
) -> Collection[bytes]:
    """The traces that can have a match: those of others that have to be there, else those of the spans themselves."""
    needed = (places for asked, places in others if not holds_for_none(asked.operator, asked.count))
    return _traces_of(batches, next(needed, own))


def _traces_of(batches: Sequence[Batch], places: Sequence[Places]) -> Collection[bytes]:
    found = [taken(batch, of, IDS[:1]).get(IDS[0]) for batch, of in zip(batches, places, strict=True) if len(of)]
    ids = pc.unique(pa.chunked_array([binary(each, 0) for each in found], pa.binary()))
    return [trace_id for trace_id in ids.to_pylist() if trace_id is not None]
