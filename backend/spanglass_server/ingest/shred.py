"""Decoded records to a table of columns, ready to be searched and written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from spanglass_server.ingest.attributes.limits import ColumnBudget, ShredCounts, ShredLimits
from spanglass_server.ingest.attributes.shredder import AttributeShredder
from spanglass_server.ingest.decoding.forms import record_sets
from spanglass_server.ingest.prometheus.families import Families
from spanglass_server.ingest.records.record_set import Requests

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from spanglass_server.ingest.decoding.decode import Decoded
    from spanglass_server.ingest.records.record_set import RecordSet


def shred(
    parts: Sequence[Decoded], budget: ColumnBudget, limits: ShredLimits, families: Families | None = None
) -> tuple[Any, ShredCounts]:
    """The records of ``parts`` (of one signal and form) as one Arrow table, and what the limits did to them."""
    batch, requests = _joined(parts, families or Families())
    counts = ShredCounts()
    are_usual = all(part.unfolded.values_are_usual for part in parts)
    tables = []
    for records in record_sets(parts[0].form, parts[0].signal, batch):
        keep = _joined_keep(parts, records)
        if not records.count or (keep is not None and not keep.any()):
            continue
        shredder = AttributeShredder(budget, limits, values_are_usual=are_usual)
        columns, rows = records.columns(keep, shredder, requests)
        columns.update(shredder.overflow.columns(rows))
        tables.append(pa.table({name: values for name, values in columns.items() if _has_values(values)}))
        counts.add(shredder.counts)
    return pa.concat_tables(tables, promote_options="permissive"), counts


def _joined(parts: Sequence[Decoded], families: Families) -> tuple[Any, Requests]:
    """One batch of all requests, and what is known of each."""
    orders = [np.zeros(len(p.received_ns), np.int64) if p.first_order is None else p.first_order for p in parts]
    requests = Requests(np.concatenate([part.received_ns for part in parts]), np.concatenate(orders), families)
    if len(parts) == 1:
        return parts[0].batch, requests
    columns = [pa.concat_arrays(columns) for columns in zip(*(part.batch.columns for part in parts), strict=True)]
    return pa.record_batch(columns, schema=parts[0].batch.schema), requests


def _joined_keep(parts: Sequence[Decoded], records: RecordSet) -> NDArray[np.bool_] | None:
    """Which records of one kind to keep over all parts; None for all."""
    if all(part.keep[records.kind] is None for part in parts):
        return None
    keeps = []
    for part in parts:
        keep = part.keep[records.kind]
        if keep is None:
            counts = [r.count for r in record_sets(part.form, part.signal, part.batch) if r.kind == records.kind]
            keep = np.ones(sum(counts), bool)
        keeps.append(keep)
    return np.concatenate(keeps)


def _has_values(values: Any) -> bool:
    """Whether a column is worth keeping: one that is null throughout is the same as an absent one."""
    return bool(values.null_count < len(values))
