"""The first or last spans of a range that match a question, when it only compares columns with values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from spanglass_server.query.kept_columns.matching import matching_batches
from spanglass_server.signals import TIME_COLUMN, Signal
from spanglass_server.store.batches.traces import taken
from spanglass_server.store.ports import LargeColumnsError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.query.matching import Matching
    from spanglass_server.store.ports import QuerySession

_TIME = TIME_COLUMN[Signal.SPANS]


def first_matches(
    session: QuerySession, matching: Matching, count: int, *, descending: bool
) -> list[dict[str, Any]] | None:
    """``trace_id`` and ``start_time_ns`` of the first matching spans, in order; None if SQL has to find them."""
    terms = None if matching.trace_ids else matching.terms
    if terms is None:
        return None
    batches = matching_batches(session, matching, terms)
    if batches is None:
        return None
    found = []
    try:
        for batch, places in batches:
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
