"""Parts as one batch each, and the traces that have spans for which some terms hold, by numbers instead of ids.

A look at all spans of a range costs by how many batches they lie in: row groups, of which a part has thirty, take
seven times as long.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spanglass_server.query.kept_columns.matching import matching_rows
from spanglass_server.query.span_figures.columns import NO_PARENT
from spanglass_server.signals import TIME_COLUMN, Signal
from spanglass_server.store.batches.columns import Texts, column_of, joined
from spanglass_server.store.batches.reading import Batch, KeptColumns
from spanglass_server.store.ports import LargeColumnsError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from spanglass_server.query.kept_columns.terms import Term
    from spanglass_server.store.batches.columns import Column, Places
    from spanglass_server.store.ports import Part, QuerySession, Window

    Keys = NDArray[np.uint64]

_ID, _PARENT, _TIME = "trace_id", "parent_span_id", TIME_COLUMN[Signal.SPANS]
_ID_BYTES = 16
#: Spreads ids that count up. Two traces that share a key are both taken to have what one of them has.
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
#: Columns of a part take no more than this on disk: texts that are long are left to SQL.
_BYTES_MAX = 8 << 20
#: Reading columns of more rows takes longer than other ways to a page. Only who asks again gains by it.
_NEW_ROWS = 250_000
_BYTES_A_KEY = 200
_ASKED = True


@dataclass(frozen=True, slots=True)
class Condition:
    """Terms that hold for a span that begins in a window, and perhaps that it has no parent."""

    terms: Sequence[Term]
    window: Window
    of_root: bool = False


@dataclass(frozen=True, slots=True)
class WholePart:
    """All spans of a part: the number of the trace of each, and of each number the id and a key that stands for it."""

    batch: Batch
    numbers: NDArray[Any]
    ids: Any
    keys: Keys
    roots: Places | None

    @classmethod
    def of(cls, session: QuerySession, part: Part, *, with_roots: bool) -> WholePart | None:
        """Read a part, or take what is kept of it; None if an id of a trace is not of sixteen bytes.

        Raises LargeColumnsError, as does asking the batch for columns.
        """

        def read(names: Collection[str]) -> Mapping[str, Column]:
            return _read(session, part, names)

        columns = KeptColumns(session.kept, _key(part), read)
        traces = columns.of([_ID]).get(_ID)
        keys = session.kept.kept(("trace keys", part.key), lambda: _keys(traces), lambda keys: keys.nbytes)
        if not isinstance(traces, Texts) or len(keys) != len(traces.values) - 1:
            return None
        batch = Batch(part.rows, part.min_time_ns, part.max_time_ns, {}, columns.of)
        return cls(batch, traces.codes, traces.values, keys, _roots(session, part) if with_roots else None)

    def having(self, condition: Condition) -> NDArray[np.bool_]:
        """Which of its traces have a span for which a condition holds."""
        places = matching_rows(self.batch, condition.terms, condition.window, _TIME)
        if condition.of_root and self.roots is not None:
            places = np.intersect1d(places, self.roots, assume_unique=True)
        marks = np.zeros(len(self.keys) + 1, np.bool_)  # the last is of spans without an id
        marks[self.numbers[places]] = True
        return marks[:-1]


def are_asked_first(session: QuerySession, parts: Sequence[Part]) -> bool:
    """Whether many rows lie in parts that nobody has asked for lately; from now on somebody has."""
    kept = session.kept
    new = [each for each in parts if not kept.has(_key(each)) and not kept.get(("asked for all", each.key))]
    if sum(each.rows for each in new) <= _NEW_ROWS:
        return False
    for each in new:
        kept.put(("asked for all", each.key), _ASKED, _BYTES_A_KEY)
    return True


def _key(part: Part) -> tuple[str, tuple[str, int]]:
    return "whole columns", part.key


def _read(session: QuerySession, part: Part, names: Collection[str]) -> dict[str, Column]:
    """Those of some columns that a part has; LargeColumnsError for long texts."""
    sizes = session.column_bytes(part)
    if sum(sizes.get(name, 0) for name in names) > _BYTES_MAX:
        raise LargeColumnsError("the columns of a search are too large to be kept")
    table = session.part_table(part, {*names, _ID})  # else a projection is read, which has its rows in another order
    return {name: column_of(joined(table[name].chunks), coded=True) for name in names if name in table.column_names}


def _keys(traces: Column | None) -> Keys:
    """A number for each trace that stands for its id; none if ids are not what they should be."""
    if not isinstance(traces, Texts):
        return np.empty(0, np.uint64)
    try:
        fixed = traces.values[:-1].cast(pa.binary(_ID_BYTES))
    except pa.ArrowInvalid:
        return np.empty(0, np.uint64)
    halves = np.frombuffer(fixed.buffers()[1] or b"", np.uint64, 2 * len(fixed), fixed.offset * _ID_BYTES)
    keys: Keys = halves[::2] * _SPREAD ^ halves[1::2]
    return keys


def _roots(session: QuerySession, part: Part) -> Places:
    """The places of its spans that have no parent."""

    def read() -> Places:
        table = session.part_table(part, [_PARENT])
        if not table.num_columns:
            return np.arange(part.rows)
        is_root = pc.fill_null(pc.equal(table[_PARENT], NO_PARENT), fill_value=True)
        return np.flatnonzero(is_root.to_numpy())

    return session.kept.kept(("places of roots", part.key), read, lambda places: places.nbytes)
