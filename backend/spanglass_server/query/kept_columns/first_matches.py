"""The first or last spans of a range that match a question, when it only compares columns with values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from spanglass_server.query.kept_columns.matching import matching_batches
from spanglass_server.query.structure.kept_traces import rows_of_traces
from spanglass_server.signals import TIME_COLUMN, Signal
from spanglass_server.store.batches.traces import taken
from spanglass_server.store.ports import LargeColumnsError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from spanglass_server.query.matching import Matching
    from spanglass_server.store.batches.columns import Places
    from spanglass_server.store.batches.reading import Batch
    from spanglass_server.store.ports import QuerySession

_TIME = TIME_COLUMN[Signal.SPANS]


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
    wanted = None if matching.parts is None else matching.parts.kept
    if wanted is None:
        return None
    read = rows_of_traces(session, matching.window, wanted, matching.trace_ids, ("trace_id", _TIME))
    return None if read is None else _read([(read.batch, read.places)], count, descending=descending)


def _read(
    batches: Iterable[tuple[Batch, Places]] | None, count: int, *, descending: bool
) -> list[dict[str, Any]] | None:
    """The first of the spans in some places of batches; None without batches, or where columns are large."""
    if batches is None:
        return None
    try:
        return Rows.of(batches).in_order(descending=descending).taken(slice(count)).listed()
    except LargeColumnsError:
        return None


@dataclass(frozen=True, slots=True)
class Rows:
    """Spans: the ids of their traces, and when they begin."""

    trace_ids: Any
    starts_ns: NDArray[np.int64]

    @classmethod
    def of(cls, batches: Iterable[tuple[Batch, Places]]) -> Rows:
        """Those in some places of batches."""
        ids, starts = [], [np.empty(0, np.int64)]
        for batch, places in batches:
            if len(places):
                rows = taken(batch, places, ("trace_id", _TIME))
                ids.append(rows["trace_id"])
                starts.append(rows[_TIME].to_numpy())
        return cls(pa.chunked_array(ids, pa.binary()).combine_chunks(), np.concatenate(starts))

    def in_order(self, *, descending: bool) -> Rows:
        """The same by their times."""
        order = np.argsort(self.starts_ns)
        return self.taken(order[::-1] if descending else order)

    def taken(self, places: slice | NDArray[Any]) -> Rows:
        """Some of them."""
        found = np.arange(len(self.starts_ns))[places]
        return Rows(self.trace_ids.take(pa.array(found)), self.starts_ns[found])

    def listed(self) -> list[dict[str, Any]]:
        """Each as a row of a statement."""
        return [
            {"trace_id": trace_id, "start_time_ns": start_ns}
            for trace_id, start_ns in zip(self.trace_ids.to_pylist(), self.starts_ns.tolist(), strict=True)
        ]
