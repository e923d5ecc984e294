"""The rows of a few traces, with some of their columns, out of a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spanglass_server.store.batches.columns import Texts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from spanglass_server.store.batches.columns import Places
    from spanglass_server.store.batches.reading import Batch
    from spanglass_server.store.ports import OfTraces


def rows_of_traces(batch: Batch, wanted: OfTraces) -> pa.Table | None:
    """Return the rows that are wanted with the batch's columns, None if there are none."""
    places = _with_one_of(batch, "trace_id", wanted.trace_ids)
    if wanted.span_ids and len(places):
        places = np.intersect1d(places, _with_one_of(batch, "span_id", wanted.span_ids), assume_unique=True)
    if not len(places):
        return None
    names = [*batch.columns, *batch.constants]
    return pa.table(taken(batch, places, [each for each in names if wanted.columns is None or each in wanted.columns]))


def taken(batch: Batch, places: Places, names: Iterable[str]) -> dict[str, Any]:
    """Some of a batch's columns and constants for some rows, as arrays without dictionaries."""
    constants = batch.constants
    return {
        name: pa.repeat(constants[name][0], len(places)) if name in constants else batch.columns[name].take(places)
        for name in names
    }


def _with_one_of(batch: Batch, name: str, ids: Collection[bytes]) -> Places:
    """Where a column has one of some ids, ascending."""
    wanted = pa.array(list(ids), pa.binary())
    constant = batch.constants.get(name)
    if constant is not None:
        is_one = pc.is_in(constant, value_set=wanted)[0].as_py()
        return np.arange(batch.rows if is_one else 0)
    column = batch.columns.get(name)
    if column is None:
        return np.arange(0)
    if not isinstance(column, Texts):
        return np.flatnonzero(pc.is_in(column.take(np.arange(batch.rows)), value_set=wanted))
    among = pc.is_in(column.values, value_set=wanted).to_numpy(zero_copy_only=False)
    return np.flatnonzero(among[column.codes]) if among.any() else np.arange(0)
