"""Decoded records to a table of columns, ready to be searched and written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from spanglass_server.ingest import logs, metrics, spans
from spanglass_server.ingest.attributes import AttributeShredder, ColumnBudget, ShredCounts, ShredLimits
from spanglass_server.ingest.envelope import envelope_columns
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from spanglass_server.ingest.decode import Decoded, RecordSet


def shred(decoded: Decoded, budget: ColumnBudget, limits: ShredLimits) -> tuple[Any, ShredCounts]:
    """The records as one Arrow table with the stored columns' names, and what the limits did to them."""
    counts = ShredCounts()
    tables = []
    for records in decoded.sets:
        if not len(records.scope_of):
            continue
        shredder = AttributeShredder(budget, limits)
        columns = _columns(decoded, records, shredder)
        columns.update(envelope_columns(decoded.envelope, shredder, records.scope_of))
        columns.update(shredder.overflow.columns(len(records.scope_of)))
        tables.append(pa.table({name: values for name, values in columns.items() if _has_values(values)}))
        counts.add(shredder.counts)
    return pa.concat_tables(tables, promote_options="default"), counts


def _columns(decoded: Decoded, records: RecordSet, shredder: AttributeShredder) -> dict[str, Any]:
    if decoded.signal is Signal.SPANS:
        return spans.span_columns(records.values, shredder)
    if decoded.signal is Signal.LOGS:
        received = np.full(len(records.scope_of), decoded.received_ns)
        return logs.log_columns(records.values, shredder, received)
    if records.metric_type is None or records.metric_of is None:
        raise TypeError("points come with their metric")
    return {
        **metrics.metric_columns(decoded.envelope, records.metric_type, records.metric_of),
        **metrics.point_columns(records.values, records.metric_type, shredder),
    }


def _has_values(values: Any) -> bool:
    """Whether a column is worth keeping: one that is null throughout is the same as an absent one."""
    return bool(values.null_count < len(values))
