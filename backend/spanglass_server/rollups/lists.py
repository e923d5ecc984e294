"""List columns as arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from numpy.typing import NDArray


def flat_lists(column: Any) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """The items of all lists one after another, and where each list begins (and the last one ends); null is empty."""
    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy().astype(np.int64)
    items = pc.list_flatten(column)
    items = items.combine_chunks() if isinstance(items, pa.ChunkedArray) else items
    return items.to_numpy(zero_copy_only=False), np.concatenate(([0], np.cumsum(lengths)))


def list_column(items: NDArray[Any], offsets: NDArray[np.int64], kind: pa.DataType) -> Any:
    """Lists from their items; those without any are null, as in storage."""
    is_empty = np.diff(offsets) == 0
    bounds = pa.array(offsets.astype(np.int32), mask=np.append(is_empty, False))
    return pa.ListArray.from_arrays(bounds, pa.array(items, kind))
