"""The points of all metrics of a small part, read at once: rules ask for a dozen metrics of each new part.

A statement over a few thousand rows in memory takes some milliseconds, most of them for its plan, and the rows of one
metric are found in those of all in a hundredth of that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from spanglass_server.promql.stored.naming.identity import VERBATIM_SCOPE
from spanglass_server.query.language.sql import Sql

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.promql.stored.naming.identity import Identity

#: Of parts with more rows each metric is read by itself.
MOST_ROWS = 10_000
_VERBATIM = f"(scope_name IS NOT DISTINCT FROM '{VERBATIM_SCOPE}')"
#: What ``Identity.canonical`` has, in its order.
_COLUMNS = {
    "of_name": "metric_name",
    "of_type": f"CASE WHEN {_VERBATIM} AND metric_type = 'sum' THEN 'gauge' ELSE metric_type END",
    "of_unit": f"CASE WHEN {_VERBATIM} THEN '' ELSE coalesce(metric_unit, '') END",
    "of_temporality": f"CASE WHEN {_VERBATIM} THEN 0 ELSE coalesce(temporality, 0) END",
    "of_monotonic": f"NOT {_VERBATIM} AND coalesce(is_monotonic, false)",
    "of_verbatim": _VERBATIM,
}
#: Columns that tell of each row which metric it is of.
TELLING = Sql(", ".join(f"{sql} AS {name}" for name, sql in _COLUMNS.items()))


@dataclass(frozen=True, slots=True)
class Together:
    """Rows of many metrics, in the order in which they were read, and the places of those of each."""

    rows: pa.Table
    places: dict[tuple[Any, ...], NDArray[np.int64]]

    @classmethod
    def of(cls, found: pa.Table) -> Together:
        """Find the metrics of rows that have the columns of ``TELLING`` besides others."""
        names = list(_COLUMNS)
        numbered = found.select(names).append_column("place", pa.array(np.arange(found.num_rows)))
        grouped = numbered.group_by(names, use_threads=False).aggregate([("place", "list")])
        keys = zip(*(grouped[name].to_pylist() for name in names), strict=True)
        places = grouped["place_list"].combine_chunks()
        starts, values = places.offsets.to_numpy().tolist(), places.values.to_numpy()
        found_at = {key: values[start:end] for key, start, end in zip(keys, starts, starts[1:], strict=False)}
        return cls(found.drop_columns(names), found_at)

    def of_metric(self, identity: Identity) -> pa.Table:
        """The rows of one metric, in their order."""
        known = identity.canonical()
        key = (known.name, known.type, known.unit, known.temporality, known.is_monotonic, known.is_verbatim)
        return self.rows.take(self.places.get(key, _NONE))

    @property
    def bytes(self) -> int:
        """About how much memory they take."""
        return int(self.rows.nbytes) + sum(places.nbytes + 300 for places in self.places.values())


_NONE = np.empty(0, np.int64)
