"""Decoded records to a table of columns, ready to be searched and written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from spanglass_server.ingest.attributes import AttributeShredder, ColumnBudget, ShredCounts, ShredLimits
from spanglass_server.ingest.envelope import envelope_columns
from spanglass_server.ingest.records import RecordSet, Requests, record_sets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from spanglass_server.ingest.decode import Decoded


def shred(parts: Sequence[Decoded], budget: ColumnBudget, limits: ShredLimits) -> tuple[Any, ShredCounts]:
    """The records of ``parts`` (of one signal, not empty) as one Arrow table, and what the limits did to them."""
    batch, requests = _joined(parts)
    counts = ShredCounts()
    tables = []
    for records in record_sets(parts[0].signal, batch):
        keep = _joined_keep(parts, records)
        if not records.count or (keep is not None and not keep.any()):
            continue
        shredder = AttributeShredder(budget, limits)
        columns, scope_of = records.columns(keep, shredder, requests)
        columns.update(envelope_columns(records.envelope, shredder, scope_of))
        columns.update(shredder.overflow.columns(len(scope_of)))
        tables.append(pa.table({name: values for name, values in columns.items() if _has_values(values)}))
        counts.add(shredder.counts)
    return pa.concat_tables(tables, promote_options="permissive"), counts


def _joined(parts: Sequence[Decoded]) -> tuple[Any, Requests]:
    """One batch of all requests, and what is known of each."""
    orders = [np.zeros(len(p.received_ns), np.int64) if p.first_order is None else p.first_order for p in parts]
    requests = Requests(np.concatenate([part.received_ns for part in parts]), np.concatenate(orders))
    if len(parts) == 1:
        return parts[0].batch, requests
    column = pa.concat_arrays([part.batch.column(0) for part in parts])
    return pa.record_batch([column], schema=parts[0].batch.schema), requests


def _joined_keep(parts: Sequence[Decoded], records: RecordSet) -> NDArray[np.bool_] | None:
    """Which records of one kind to keep over all parts; None for all."""
    if all(part.keep[records.kind] is None for part in parts):
        return None
    keeps = []
    for part in parts:
        keep = part.keep[records.kind]
        if keep is None:
            counts = [r.count for r in record_sets(part.signal, part.batch) if r.kind == records.kind]
            keep = np.ones(sum(counts), bool)
        keeps.append(keep)
    return np.concatenate(keeps)


def _has_values(values: Any) -> bool:
    """Whether a column is worth keeping: one that is null throughout is the same as an absent one."""
    return bool(values.null_count < len(values))
