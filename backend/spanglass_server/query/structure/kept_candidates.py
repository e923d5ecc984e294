"""Traces that have all that a filter asks for, of themselves and of other spans, by columns that are kept of a range.

Each condition may hold for many spans, and both of two for few traces: then only these are looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from spanglass_server.query.language.compiling.relations import holds_for_none
from spanglass_server.query.language.parsing.ast import Relation
from spanglass_server.query.structure.forest import is_in
from spanglass_server.query.structure.kept_extents import Extents
from spanglass_server.query.structure.relatives import reach
from spanglass_server.query.structure.whole_parts import Condition, WholePart, are_asked_first
from spanglass_server.signals import Signal
from spanglass_server.store.ports import LargeColumnsError, Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from spanglass_server.query.structure.kept_filter import KeptFilter, Others
    from spanglass_server.store.ports import QuerySession

#: Of so many traces storage tells in 40 ms when they ran; where more can match, enough do in small parts.
_MOST_TRACES = 1_500
#: Ids of traces and a few columns that are compared fill half of the cache at this size: of eleven million rows by
#: default.
_BYTES_A_ROW = 12
#: One condition alone SQL tells in the time of a search that finds nothing.
_FEWEST_CONDITIONS = 2


def candidates(session: QuerySession, wanted: KeptFilter, window: Window) -> Extents | None:
    """The traces that can have spans of a window that match, and when they ran; None if they are many, or not told."""
    conditions = [
        Condition(each.terms, reach(window, each.relation), each.relation is Relation.ROOT)
        for each in wanted.others
        if _is_needed(each)
    ]
    conditions += [Condition(wanted.own, window)] if wanted.own else []
    if len(conditions) < _FEWEST_CONDITIONS:
        return None
    try:
        ids = _with_all(session, conditions)
    except LargeColumnsError:
        return None
    return None if ids is None or len(ids) > _MOST_TRACES else _told(session, ids)


def _is_needed(asked: Others) -> bool:
    """Whether a trace has to have such spans."""
    return bool(asked.terms) and not holds_for_none(asked.operator, asked.count)


def _with_all(session: QuerySession, conditions: Sequence[Condition]) -> list[bytes] | None:
    """The traces with spans for each condition, and perhaps others; None if they are many, or not told."""
    windows = [condition.window for condition in conditions]
    around = Window(min(each.start_ns for each in windows), max(each.end_ns for each in windows))
    parts = session.parts(Signal.SPANS, around)
    if sum(part.rows for part in parts) > session.kept.max_bytes // (2 * _BYTES_A_ROW) or are_asked_first(
        session, parts
    ):
        return None
    with_roots = any(condition.of_root for condition in conditions)
    looked_at, seen = [], 0
    for part in parts:
        whole = WholePart.of(session, part, with_roots=with_roots)
        if whole is None:
            return None
        marks = [whole.having(condition) for condition in conditions]
        seen += int(np.count_nonzero(np.all(marks, axis=0)))  # most traces lie in one part
        if seen > _MOST_TRACES:
            return None
        looked_at.append((whole, [np.flatnonzero(each) for each in marks]))
    return _in_all(looked_at, len(conditions))


def _in_all(looked_at: Sequence[tuple[WholePart, Sequence[NDArray[np.intp]]]], conditions: int) -> list[bytes]:
    """The ids of the traces that were found for each condition, in one part or another."""
    keys = [[whole.keys[found[place]] for whole, found in looked_at] for place in range(conditions)]
    common, *others = (np.concatenate([np.empty(0, np.uint64), *each]) for each in keys)
    for each in others:
        common = common[is_in(common, each)]
    ids = set[bytes]()
    for whole, (first, *_) in looked_at:
        ids.update(whole.ids.take(pa.array(first[is_in(whole.keys[first], common)])).to_pylist())
    return list(ids)


def _told(session: QuerySession, trace_ids: Sequence[bytes]) -> Extents:
    """Between when spans of some traces begin, as storage tells by the minute."""
    places = {trace_id: place for place, trace_id in enumerate(trace_ids)}
    first_ns = np.full(len(places), np.iinfo(np.int64).max)
    last_ns = np.full(len(places), np.iinfo(np.int64).min)
    for trace_id, window in session.trace_windows(trace_ids):
        place = places[trace_id]
        first_ns[place] = min(first_ns[place], window.start_ns)
        last_ns[place] = max(last_ns[place], window.end_ns - 1)
    ids = np.frombuffer(b"".join(trace_ids), np.uint64).reshape(-1, 2)
    return Extents(ids, first_ns, last_ns, np.zeros(len(places), np.int64))
