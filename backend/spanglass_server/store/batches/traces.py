"""The rows of a few traces, with some of their columns, out of a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spanglass_server.store.batches.columns import Texts

if TYPE_CHECKING:
    from collections.abc import Collection

    from spanglass_server.store.batches.columns import Places
    from spanglass_server.store.batches.reading import Batch
    from spanglass_server.store.ports import OfTraces


def rows_of_traces(batch: Batch, wanted: OfTraces, names: Collection[str]) -> pa.Table | None:
    """Return the rows that are wanted with those of some columns that they have, None if there are none."""
    places = with_one_of(batch, "trace_id", wanted.trace_ids)
    if wanted.span_ids and len(places):
        places = np.intersect1d(places, with_one_of(batch, "span_id", wanted.span_ids), assume_unique=True)
    if not len(places):
        return None
    return pa.table(taken(batch, places, names))


def taken(batch: Batch, places: Places, names: Collection[str]) -> dict[str, Any]:
    """Those of some columns that a batch has, for some rows, as arrays without dictionaries."""
    constants = {name: batch.constants[name] for name in names if name in batch.constants}
    found = {name: pa.repeat(value[0], len(places)) for name, value in constants.items()}
    columns = batch.columns([name for name in names if name not in constants])
    return found | {name: column.take(places) for name, column in columns.items()}


def values_of(batch: Batch, name: str, places: Places) -> pa.Array:
    """The different ids that a column has in some rows, some of them perhaps more than once."""
    column = None if name in batch.constants or not len(places) else batch.columns([name]).get(name)
    if isinstance(column, Texts):
        return pc.cast(column.values.take(pa.array(np.unique(column.codes[places]))), pa.binary())
    found = taken(batch, places[:1] if name in batch.constants else places, [name]) if len(places) else {}
    return pc.cast(found[name], pa.binary()) if name in found else pa.nulls(0, pa.binary())


def with_one_of(batch: Batch, name: str, ids: Collection[bytes] | pa.Array) -> Places:
    """Where a column has one of some ids, ascending; for many batches these are best made an array before."""
    wanted = ids if isinstance(ids, pa.Array) else pa.array(list(ids), pa.binary())
    constant = batch.constants.get(name)
    if constant is not None:
        is_one = pc.is_in(constant, value_set=wanted)[0].as_py()
        return np.arange(batch.rows if is_one else 0)
    column = batch.columns([name]).get(name)
    if column is None:
        return np.arange(0)
    if not isinstance(column, Texts):
        return np.flatnonzero(pc.is_in(column.take(np.arange(batch.rows)), value_set=wanted))
    among = pc.is_in(column.values, value_set=wanted).to_numpy(zero_copy_only=False)
    return np.flatnonzero(among[column.codes]) if among.any() else np.arange(0)
