"""Traces that have all that a filter asks for, of themselves and of other spans, by columns that are kept of a range.

Each condition may hold for many spans, and both of two for few traces: then only these are looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spanglass_server.query.kept_columns.matching import matching_rows
from spanglass_server.query.language.compiling.relations import holds_for_none
from spanglass_server.query.structure.kept_extents import Extents
from spanglass_server.query.structure.relatives import reach
from spanglass_server.signals import TIME_COLUMN, Signal
from spanglass_server.store.batches.traces import values_of
from spanglass_server.store.ports import LargeColumnsError, Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.query.kept_columns.terms import Term
    from spanglass_server.query.structure.kept_filter import KeptFilter, Others
    from spanglass_server.store.ports import QuerySession

_ID, _TIME = "trace_id", TIME_COLUMN[Signal.SPANS]
_ID_BYTES = 16
#: Of so many traces storage tells in 20 ms when they ran; where more can match, enough do in small parts.
_MOST_TRACES = 500
#: Ids of traces and a few columns that are compared fill half of the cache at this size: of eleven million rows by
#: default.
_BYTES_A_ROW = 12
#: One condition alone SQL tells in the time of a search that finds nothing.
_FEWEST_CONDITIONS = 2


def candidates(session: QuerySession, wanted: KeptFilter, window: Window) -> Extents | None:
    """The traces that can have spans of a window that match, and when they ran; None if they are many, or not told."""
    conditions = [(each.terms, reach(window, each.relation)) for each in wanted.others if _is_needed(each)]
    conditions += [(wanted.own, window)] if wanted.own else []
    if len(conditions) < _FEWEST_CONDITIONS:
        return None
    try:
        ids = _with_all(session, conditions)
    except LargeColumnsError:
        return None
    if ids is None or len(ids) > _MOST_TRACES or any(len(trace_id) != _ID_BYTES for trace_id in ids):
        return None
    return _told(session, ids)


def _is_needed(asked: Others) -> bool:
    """Whether a trace has to have such spans."""
    return bool(asked.terms) and not holds_for_none(asked.operator, asked.count)


def _with_all(session: QuerySession, conditions: Sequence[tuple[Sequence[Term], Window]]) -> list[bytes] | None:
    """The traces with spans in a window for each condition."""
    around = Window(min(inside.start_ns for _, inside in conditions), max(inside.end_ns for _, inside in conditions))
    held = session.batches(Signal.SPANS, around, most_rows=session.kept.max_bytes // (2 * _BYTES_A_ROW))
    if held is None:
        return None
    found, seen = [], 0
    for batch in held:
        ids = [values_of(batch, _ID, matching_rows(batch, terms, inside, _TIME)) for terms, inside in conditions]
        found.append(ids)
        seen += len(_in_all(ids))  # most traces lie in one row group
        if seen > _MOST_TRACES:
            return None
    listed: list[bytes] = _in_all([pa.chunked_array(ids, pa.binary()) for ids in zip(*found, strict=True)]).to_pylist()
    return listed


def _in_all(sets: Sequence[Any]) -> Any:
    """The ids that are in each of some sets, once."""
    first, *rest = sets
    for each in rest:
        first = first.filter(pc.is_in(first, value_set=each))
    return pc.unique(first).drop_null()


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
