"""Spans of traces with such figures as a filter asks for, found in columns that are kept: for parts of a range."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spanglass_server.query.kept_columns.matching import COMPARED
from spanglass_server.query.traces.identity import COLUMNS
from spanglass_server.service_names import SERVICE, UNKNOWN_SERVICE, service_name
from spanglass_server.store.batches.traces import taken, with_one_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from spanglass_server.query.kept_columns.terms import Term
    from spanglass_server.store.batches.columns import Places
    from spanglass_server.store.batches.reading import Batch
    from spanglass_server.store.ports import Window

    Numbers = NDArray[np.int64]

_ID, _TIME, _DURATION, _STATUS = "trace_id", "start_time_ns", "duration_ns", "status_code"
_FAILED = 2
#: Figures of traces, and what is read of their spans to tell them.
FIGURE_COLUMNS = {
    "trace.duration": (_ID, _TIME, _DURATION),
    "trace.spans": (_ID, *COLUMNS),
    "trace.errors": (_ID, *COLUMNS, _STATUS),
}


class _Spans(NamedTuple):
    """Rows of some traces: the number of the trace of each, and columns, nulls where a batch lacks them."""

    traces: NDArray[Any]
    ids: Any  # of the traces, by their numbers
    columns: Mapping[str, Any]

    def numbers(self, name: str) -> Numbers:
        """A column of numbers, 0 for none."""
        found: Numbers = pc.fill_null(self.columns[name], 0).to_numpy(zero_copy_only=False).astype(np.int64)
        return found


def of_traces_with(
    batches: Sequence[Batch], places: Sequence[Places], figures: Mapping[str, Sequence[Term]], window: Window
) -> list[Places]:
    """Return those of some places in each batch whose traces have such figures, by all of their spans in a window."""
    own = [_column(taken(batch, of, [_ID]), _ID, len(of)) for batch, of in zip(batches, places, strict=True)]
    wanted = pc.unique(pa.chunked_array(own, pa.binary())).drop_null()
    spans = _read(batches, wanted, set().union(*(FIGURE_COLUMNS[name] for name in figures)), window)
    holds = np.ones(len(spans.ids), np.bool_)
    for name, terms in figures.items():
        value = _FIGURES[name](spans)
        for term in terms:
            holds &= np.any([COMPARED[term.operator](value, each) for each in term.values], axis=0)
    found = spans.ids.filter(pa.array(holds))
    return [
        of[pc.is_in(ids, value_set=found).to_numpy(zero_copy_only=False)] for of, ids in zip(places, own, strict=True)
    ]


def _read(batches: Sequence[Batch], trace_ids: Any, names: set[str], window: Window) -> _Spans:
    """Read columns of the spans of some traces that start in a window."""
    found: dict[str, list[Any]] = {name: [] for name in names}
    for batch in batches:
        rows = with_one_of(batch, _ID, trace_ids)
        start_ns = taken(batch, rows, [_TIME])[_TIME].to_numpy(zero_copy_only=False)
        rows = rows[(start_ns >= window.start_ns) & (start_ns < window.end_ns)]
        columns = taken(batch, rows, names)
        for name, chunks in found.items():
            chunks.append(_column(columns, name, len(rows)))
    whole = {name: pa.concat_arrays(chunks) for name, chunks in found.items()}
    numbered = whole[_ID].dictionary_encode()
    return _Spans(numbered.indices.to_numpy(zero_copy_only=False), numbered.dictionary, whole)


def _durations(spans: _Spans) -> Numbers:
    """From the first start of each trace to the last end."""
    first_ns = np.full(len(spans.ids), np.iinfo(np.int64).max)
    last_ns = np.full(len(spans.ids), np.iinfo(np.int64).min)
    starts_ns = spans.numbers(_TIME)
    np.minimum.at(first_ns, spans.traces, starts_ns)
    np.maximum.at(last_ns, spans.traces, starts_ns + spans.numbers(_DURATION))
    lasting_ns: Numbers = last_ns - first_ns
    return lasting_ns


def _spans(spans: _Spans) -> Numbers:
    """How many spans each trace has; one that was sent twice counts once."""
    return _counted(spans, np.ones(len(spans.traces), np.bool_))


def _errors(spans: _Spans) -> Numbers:
    """How many of its spans failed."""
    return _counted(spans, spans.numbers(_STATUS) == _FAILED)


_FIGURES = {"trace.duration": _durations, "trace.spans": _spans, "trace.errors": _errors}
#: Odd numbers that nobody knows, one for each part of a span's identity, and one for its trace.
_SPREADS = [np.uint64(secrets.randbits(64) | 1) for _ in (_ID, *COLUMNS)]


def _counted(spans: _Spans, are_meant: NDArray[np.bool_]) -> Numbers:
    """How many of the rows that are meant differ in what tells spans apart, by their traces."""
    parts = [spans.traces, *(_told_apart(name, spans) for name in COLUMNS)]
    hashes = np.zeros(len(spans.traces), np.uint64)
    for part, spread in zip(parts, _SPREADS, strict=True):
        hashes += part.astype(np.uint64) * spread
    _, firsts = np.unique(hashes[are_meant], return_index=True)
    return np.bincount(spans.traces[are_meant][firsts], minlength=len(spans.ids))


def _told_apart(name: str, spans: _Spans) -> NDArray[Any]:
    """A column as numbers, the same for the same values; services by the names that are shown."""
    column = spans.columns[name]
    if pa.types.is_integer(column.type):
        return spans.numbers(name)
    if name == SERVICE:
        stored = column.dictionary_encode()
        shown = pa.array(map(service_name, stored.dictionary.to_pylist()), pa.string()).take(stored.indices)
        column = pc.fill_null(shown, UNKNOWN_SERVICE)
    codes = column.dictionary_encode()
    numbers: NDArray[Any] = pc.fill_null(codes.indices, len(codes.dictionary)).to_numpy(zero_copy_only=False)
    return numbers


def _column(columns: Mapping[str, Any], name: str, rows: int) -> Any:
    """A column of some rows, nulls where a batch lacks it; ids without a length of their own."""
    kind = pa.binary() if name.endswith("_id") else pa.string() if name == SERVICE else None
    found = columns.get(name)
    if found is None:
        return pa.nulls(rows, kind or pa.int64())
    return pc.cast(found, kind or pa.int64())
