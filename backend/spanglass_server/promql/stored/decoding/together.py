"""The points of all metrics of a small part, read at once: rules ask for a dozen metrics of each, anomalies for all.

A statement over a few thousand rows in memory takes 15 ms, most of them for its plan and for the hash of all columns
that tell streams apart. The rows of one metric are found in those of all in a hundredth of that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spanglass_server.promql.stored.naming.identity import VERBATIM_SCOPE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from spanglass_server.promql.stored.decoding.points import Values
    from spanglass_server.promql.stored.naming.identity import Identity
    from spanglass_server.store.part_cache import PartCache
    from spanglass_server.store.ports import Part

#: Of parts with more rows each metric is read by itself. Compaction makes parts of four minutes, 42,000 rows where
#: there are ten thousand series: to read a hundred metrics of one by themselves took as long as all that follows.
MOST_ROWS = 60_000
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
_KNOWN_BYTES = 500


@dataclass(frozen=True, slots=True)
class Together:
    """Rows of many metrics in the order in which they were read, the places of those of each, and what was read."""

    rows: pa.Table
    places: dict[tuple[Any, ...], NDArray[np.int64]]
    several: tuple[Values, ...]

    @classmethod
    def of(cls, found: pa.Table, several: Sequence[Values]) -> Together:
        """Find the metrics of rows that were selected by ``selected``."""
        names = list(_COLUMNS)
        numbered = found.select(names).append_column("place", pa.array(np.arange(found.num_rows)))
        grouped = numbered.group_by(names, use_threads=False).aggregate([("place", "list")])
        keys = zip(*(grouped[name].to_pylist() for name in names), strict=True)
        places = grouped["place_list"].combine_chunks()
        starts, values = places.offsets.to_numpy().tolist(), places.values.to_numpy()
        found_at = {key: values[start:end] for key, start, end in zip(keys, starts, starts[1:], strict=False)}
        return cls(found.drop_columns(names), found_at, tuple(several))

    def of_metric(self, identity: Identity, values: Values) -> pa.Table:
        """The points of one metric that have such values, or say that there is none, in their order."""
        known = identity.canonical()
        key = (known.name, known.type, known.unit, known.temporality, known.is_monotonic, known.is_verbatim)
        number = self.several.index(values)
        columns = {_value_name(number, name): name for name, _ in values.selected}
        there = _there_name(number)
        others = [name for name in self.rows.column_names if not name.startswith(_OF_VALUES)]
        rows = self.rows.select([*others, *columns, there]).take(self.places.get(key, _NONE))
        is_wanted = pc.or_(rows[there], rows["is_stale"])
        if not pc.all(is_wanted).as_py():
            rows = rows.filter(is_wanted)
        return rows.drop_columns([there]).rename_columns([*others, *columns.values()])

    @property
    def bytes(self) -> int:
        """About how much memory they take."""
        return int(self.rows.nbytes) + sum(places.nbytes + 300 for places in self.places.values())


def selected(several: Sequence[Values]) -> tuple[str, str]:
    """A select list of values of many kinds, with what tells of each row which metric it is of; when it has any."""
    texts = [f"{sql} AS {name}" for name, sql in _COLUMNS.items()]
    for number, values in enumerate(several):
        texts += [f"{sql} AS {_value_name(number, name)}" for name, sql in values.selected]
        texts.append(f"({values.is_there}) AS {_there_name(number)}")
    return ", ".join(texts), f"({' OR '.join(dict.fromkeys(values.is_there for values in several))})"


def read_together(
    cache: PartCache, part: Part, asked: tuple[Values, bool], read: Callable[[Sequence[Values]], Together]
) -> Together:
    """The points of all metrics of a part with such values; ``asked`` also says whether they are from Prometheus.

    Of a part that is new they are read with all other values that were asked of parts before.
    """
    values, is_verbatim = asked

    def key(of: Values) -> tuple[Any, ...]:
        return ("together", part.key, of, is_verbatim)

    held: Together | None = cache.get(key(values))
    if held is not None:
        return held
    known: tuple[Values, ...] = cache.get(("asked together", is_verbatim)) or ()
    if values not in known:
        known = (*known, values)
        cache.put(("asked together", is_verbatim), known, _KNOWN_BYTES)
    several = [each for each in known if each == values or not cache.has(key(each))]
    found = read(several)
    for each in several:
        cache.put(key(each), found, found.bytes // len(several))
    return found


_OF_VALUES = "of_values_"


def _value_name(number: int, name: str) -> str:
    return f"{_OF_VALUES}{number}_{name}"


def _there_name(number: int) -> str:
    return f"{_OF_VALUES}{number}_is_there"


_NONE = np.empty(0, np.int64)
