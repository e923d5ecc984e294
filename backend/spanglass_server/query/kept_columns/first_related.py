"""The first or last spans of a part of a range that match by the other spans of their traces, out of kept columns.

Looked at is what begins about the part. Few traces reach further: storage is asked about those that others stand behind
on a page, and have no span that matches yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow.compute as pc

from spanglass_server.query.kept_columns.first_matches import Rows
from spanglass_server.query.language.parsing.ast import Relation
from spanglass_server.query.structure.kept_relatives import own_rows, related_rows
from spanglass_server.query.structure.relatives import bounded, reach
from spanglass_server.query.structure.trace_bounds import bounds_of, near
from spanglass_server.signals import Signal
from spanglass_server.store.ports import LargeColumnsError, Window

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spanglass_server.query.matching import Matching
    from spanglass_server.query.structure.kept_filter import KeptFilter
    from spanglass_server.store.batches.reading import Batch
    from spanglass_server.store.ports import QuerySession

#: Around a part of a range so many spans are looked at for others of its traces; with more SQL is quicker.
_RELATED_ROWS = 400_000
#: Segments may hold more: only row groups are read that lie there.
_STORED_ROWS = 100 * _RELATED_ROWS
#: Of so many spans that are asked for one trace is enough.
_SPANS_A_TRACE = 32


class First(NamedTuple):
    """The first spans of a part, as ``first_matches`` gives them, and whether the part has more."""

    spans: list[dict[str, Any]]
    are_cut: bool


def first_related(
    session: QuerySession, matching: Matching, part: Window, count: int, *, descending: bool
) -> First | None:
    """The first spans of a part of a question's range, in order; None where it is not small, and SQL has to look.

    As many as are asked for, or fewer: a page needs some traces, and each that may stand among them costs.
    """
    parts, whole = matching.parts, matching.window
    if parts is None or parts.kept is None:
        return None
    looking = _Looking(session, parts.kept, part, whole, count, descending)
    try:
        seen = looking.around(near(part))
        if seen is None or not seen.unsure:
            return seen and seen.first
        if not seen.first.spans and parts.ask_all():
            return None  # these few traces are looked at by themselves
        bounds = bounds_of(session, seen.unsure, part, whole)
        if bounds is None or bounds != bounds.within(near(part)):
            seen = looking.around(bounds)
    except LargeColumnsError:
        return None
    return seen and seen.first


class _Seen(NamedTuple):
    """What a look found, and the traces that would stand among it if spans that were not looked at say so."""

    first: First
    unsure: list[bytes]


@dataclass(frozen=True, slots=True)
class _Looking:
    """A look for the first spans of a part."""

    session: QuerySession
    wanted: KeptFilter
    part: Window
    whole: Window
    count: int
    descending: bool

    def around(self, bounds: Window | None) -> _Seen | None:
        """What the spans within bounds say; None if they are many, or ids are not what they should be."""
        around = bounded(_reached(self.whole), bounds)
        held = self.session.batches(Signal.SPANS, around, most_rows=_STORED_ROWS)
        batches = None if held is None else _at_most(held, _RELATED_ROWS)
        if batches is None:
            return None
        own = own_rows(batches, self.wanted, self.part)
        found = related_rows(batches, self.wanted, own, partial(reach, self.whole))
        if found is None:
            return None
        matched = Rows.of(zip(batches, found, strict=True)).in_order(descending=self.descending)
        first = matched.taken(slice(_enough(matched, self.count)))
        are_cut = len(first.starts_ns) < len(matched.starts_ns)
        if are_cut:
            own = own_rows(batches, self.wanted, self._before(int(first.starts_ns[-1])))
        ids = Rows.of(zip(batches, own, strict=True)).trace_ids.unique().drop_null()
        unsure = ids.filter(pc.invert(pc.is_in(ids, value_set=first.trace_ids)))
        return _Seen(First(first.listed(), are_cut), unsure.to_pylist())

    def _before(self, edge_ns: int) -> Window:
        """What of the part comes before its last span that was found, and at the same time."""
        if self.descending:
            return Window(edge_ns, self.part.end_ns)
        return Window(self.part.start_ns, edge_ns + 1)


def _at_most(batches: Iterable[Batch], rows: int) -> list[Batch] | None:
    """Batches, None if they have more rows."""
    found = []
    for batch in batches:
        rows -= batch.rows
        if rows < 0:
            return None
        found.append(batch)
    return found


def _enough(matched: Rows, count: int) -> int:
    """How many of the spans in order have as many traces as are asked for with so many spans; ``count`` at most."""
    _, firsts = np.unique(matched.trace_ids.dictionary_encode().indices.to_numpy(), return_index=True)
    traces = count // _SPANS_A_TRACE
    return min(count, int(firsts[traces])) if len(firsts) > traces else count


def _reached(window: Window) -> Window:
    """When spans that stand to those of a window in any way may begin."""
    windows = [reach(window, relation) for relation in Relation]
    return Window(min(each.start_ns for each in windows), max(each.end_ns for each in windows))
