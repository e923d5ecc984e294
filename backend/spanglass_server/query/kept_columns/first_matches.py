"""The first or last spans of a range that match a question, when it only compares columns with values."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from spanglass_server.query.kept_columns.matching import matching_batches, matching_rows
from spanglass_server.query.language.parsing.ast import Relation
from spanglass_server.query.structure.kept_relatives import related_rows, traces_of_rows
from spanglass_server.query.structure.kept_traces import rows_of_traces
from spanglass_server.query.structure.relatives import bounded, reach
from spanglass_server.query.structure.trace_bounds import bounds_of
from spanglass_server.signals import TIME_COLUMN, Signal
from spanglass_server.store.batches.traces import taken
from spanglass_server.store.ports import LargeColumnsError, Window

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from spanglass_server.query.matching import Matching
    from spanglass_server.query.structure.kept_relatives import KeptFilter
    from spanglass_server.store.batches.columns import Places
    from spanglass_server.store.batches.reading import Batch
    from spanglass_server.store.ports import QuerySession

_TIME = TIME_COLUMN[Signal.SPANS]
#: Around a part of a range so many spans are looked at for others of its traces; with more SQL is quicker.
_RELATED_ROWS = 400_000


def first_matches(
    session: QuerySession, matching: Matching, count: int, *, descending: bool
) -> list[dict[str, Any]] | None:
    """``trace_id`` and ``start_time_ns`` of the first matching spans, in order; None if SQL has to find them."""
    if matching.trace_ids and matching.parts is not None:
        return _first_of_traces(session, matching, count, descending=descending)
    terms = None if matching.trace_ids else matching.terms
    return None if terms is None else _read(matching_batches(session, matching, terms), count, descending=descending)


def _first_of_traces(
    session: QuerySession, matching: Matching, count: int, *, descending: bool
) -> list[dict[str, Any]] | None:
    """The same of a filter about other spans where few traces can match: all of these are read."""
    wanted = None if matching.parts is None else matching.parts.kept(session.columns(Signal.SPANS))
    if wanted is None:
        return None
    read = rows_of_traces(session, matching.window, wanted, matching.trace_ids, ("trace_id", _TIME))
    return None if read is None else _read([(read.batch, read.places)], count, descending=descending)


def first_related(
    session: QuerySession, matching: Matching, window: Window, count: int, *, descending: bool
) -> list[dict[str, Any]] | None:
    """The same of a filter about other spans, for a part of its range; where that is not small SQL has to look."""
    whole = matching.window
    wanted = None if matching.parts is None else matching.parts.kept(session.columns(Signal.SPANS, _around(whole)))
    if wanted is None:
        return None
    try:
        batches = _with_relatives(session, wanted, window, whole)
        found = None if batches is None else related_rows(batches, wanted, window, partial(reach, whole))
    except LargeColumnsError:
        return None
    if batches is None or found is None:
        return None
    return _read(zip(batches, found, strict=True), count, descending=descending)


def _with_relatives(session: QuerySession, wanted: KeptFilter, window: Window, whole: Window) -> list[Batch] | None:
    """The spans of a window and all those of the range that theirs may stand so to; None if that is not small."""
    batches = session.batches(Signal.SPANS, window, most_rows=_RELATED_ROWS)
    if batches is None:
        return None
    held = list(batches)
    ids = traces_of_rows(held, [matching_rows(batch, wanted.own, window, _TIME) for batch in held])
    bounds = bounds_of(session, ids, window, whole) if ids else window
    around = session.batches(Signal.SPANS, bounded(_around(whole), bounds), most_rows=_RELATED_ROWS)
    return None if around is None else list(around)


def _around(window: Window) -> Window:
    """When spans that stand to those of a window in any way may begin."""
    windows = [reach(window, relation) for relation in Relation]
    return Window(min(each.start_ns for each in windows), max(each.end_ns for each in windows))


def _read(
    batches: Iterable[tuple[Batch, Places]] | None, count: int, *, descending: bool
) -> list[dict[str, Any]] | None:
    """The first of the spans in some places of batches; None without batches, or where columns are large."""
    if batches is None:
        return None
    found = []
    try:
        for batch, places in batches:
            if len(places):
                rows = taken(batch, places, ("trace_id", _TIME))
                found.append((rows["trace_id"], rows[_TIME].to_numpy()))
    except LargeColumnsError:
        return None
    return _first(found, count, descending=descending)


def _first(found: list[tuple[Any, NDArray[np.int64]]], count: int, *, descending: bool) -> list[dict[str, Any]]:
    """The first rows of all by their times."""
    if not found:
        return []
    starts = np.concatenate([of_batch for _, of_batch in found])
    order = np.argsort(starts)
    places = (order[::-1] if descending else order)[:count]
    ids = pa.chunked_array([of_batch for of_batch, _ in found]).take(pa.array(places))
    return [
        {"trace_id": trace_id, "start_time_ns": start_ns}
        for trace_id, start_ns in zip(ids.to_pylist(), starts[places].tolist(), strict=True)
    ]
