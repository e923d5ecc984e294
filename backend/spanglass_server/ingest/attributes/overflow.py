"""Attributes that got no column: kept with their record, as texts that read back to the same value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from spanglass_server.signals import ValueType

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(slots=True)
class Overflow:
    """Entries that did not become columns: the record's row, the column name, the value as text, the item's index."""

    rows: list[NDArray[np.int64]] = field(default_factory=list)
    names: list[Any] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    indexes: list[Any] = field(default_factory=list)

    def columns(self, row_count: int) -> dict[str, Any]:
        """The three overflow columns over ``row_count`` records; none if nothing overflowed."""
        if not self.rows:
            return {}
        rows = np.concatenate(self.rows)
        order = pa.array(np.argsort(rows, kind="stable"))
        offsets = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=row_count))])
        mask = pa.array(np.diff(offsets) == 0)
        starts = pa.array(offsets, type=pa.int32())
        parts = (
            ("overflow_name", self.names, pa.string()),
            ("overflow_value", self.values, pa.string()),
            ("overflow_index", self.indexes, pa.int32()),
        )
        return {
            name: pa.ListArray.from_arrays(
                starts, pa.chunked_array(chunks, type=kind).combine_chunks().take(order), mask=mask
            )
            for name, chunks, kind in parts
        }


def as_text(values: Any, stored: ValueType) -> Any:
    """An overflowed value as text that reads back to the same value."""
    if stored is ValueType.BYTES:
        return pa.array([None if v is None else v.hex() for v in values.to_pylist()], type=pa.string())
    if stored is ValueType.DOUBLE:
        return pa.array([repr(v) for v in values.to_pylist()], type=pa.string())
    return values.cast(pa.string())
