"""How the columns of segments and projections are written, judged by the first rows.

Ids, times and durations are written without a dictionary: nearly every value is new, and DuckDB 1.5.5 then scans 1 M
spans twice as fast (search 24 -> 12 ms) in 19 % fewer bytes.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from spanglass_server.signals import ROLLUPS, Signal
from spanglass_server.store.segment_files.row_order import SORT_COLUMNS, few_values

_UNIQUE = frozenset({"span_id", "parent_span_id", "link_span_id", "exemplar_span_id", "exemplar_trace_id"})
#: Signals of data points, a row group of which holds few metrics.
_POINTS = (Signal.METRICS, *ROLLUPS)
#: How columns are compressed that are not judged. Nothing makes ids by chance smaller, nor differences in as many bits
#: as they need.
_COMPRESSION = {Signal.SPANS: {"span_id": "none", "start_time_ns": "none", "duration_ns": "none"}}
#: Of ids of spans the lengths, all equal, are written apart: 1.2 bytes a span less, and they are read in half the time.
_LENGTHS_APART = {Signal.SPANS: frozenset({"span_id", "parent_span_id"})}
#: Columns of up to so many distinct values have extremes.
_FEW_VALUES = 32
#: Those of up to so many are compressed with LZ4. With 32 a span would take 0.1 bytes more, and a trace by its id as
#: long (docs/adr/0023); with 2 it would take 0.1 to 0.5 less, and a trace by its id a fifth more time.
_LZ4_VALUES = 8
#: Zstandard's: 0.3 bytes a span less than by 1, Arrow's default, in as much time. Of lists, which have stack traces,
#: another 0.1 for a twentieth more time; of all columns by that level 0.2 more, for a quarter.
_LEVEL, _LEVEL_OF_LISTS = 3, {Signal.SPANS: 6}
_WRITTEN_TOGETHER = 4096  # values; a seventh less time than by 1024, Arrow's default
_DELTA = frozenset(
    {"start_time_ns", "time_ns", "observed_time_ns", "record_time_ns", "duration_ns", "arrival_order", "record_order"}
)
_TIMES = frozenset({"event_time_ns", "exemplar_time_ns"})


def write_options(sample: Any, signal: Signal) -> dict[str, Any]:
    """How to write each column, for ``pyarrow.parquet.ParquetWriter``.

    LZ4 for columns of very few distinct values: with Zstandard they would be hardly smaller, and a whole row would be
    read in a tenth more time. Zstandard for the others, but for those that nothing makes smaller.
    """
    leaves = {column.name: _leaf(column) for column in sample.schema}
    apart = _LENGTHS_APART.get(signal, frozenset())
    plain = _UNIQUE | _DELTA | _TIMES
    few = {name: few_values(_values(sample[name]), _FEW_VALUES) for name in leaves}
    compression = {leaf: _compression(few[name], name, signal) for name, leaf in leaves.items()}
    levels = {leaf: _level(sample.schema.field(name), signal) for name, leaf in leaves.items()}
    return {
        "compression": compression,
        "compression_level": {leaf: levels[leaf] for leaf, codec in compression.items() if codec == "zstd"},
        "use_dictionary": [leaf for name, leaf in leaves.items() if name not in plain],
        "column_encoding": {name: "DELTA_BINARY_PACKED" for name in leaves if name in _DELTA}
        | {name: "DELTA_LENGTH_BYTE_ARRAY" for name in leaves if name in apart},
        "write_batch_size": _WRITTEN_TOGETHER,
        "write_statistics": [leaf for name, leaf in leaves.items() if _tells(sample.schema.field(name), few, signal)],
        "store_schema": False,
        "write_page_index": False,
    }


def _tells(column: Any, few: dict[str, int | None], signal: Signal) -> bool:
    """Whether a column's extremes are worth their bytes: row groups are told apart by them, or they are small.

    Those of texts of many values are long, stand in the footer and in each page, and hold nearly every value between
    them; those of lists are not looked at: together 0.3 bytes a span. By those of parents' ids an export knows that a
    row group has no id of zeros, and copies it.
    """
    if signal in _POINTS or column.name in SORT_COLUMNS[signal] or column.name in _UNIQUE:
        return True
    return not pa.types.is_list(column.type) and (few[column.name] is not None or pa.types.is_primitive(column.type))


def _compression(values: int | None, name: str, signal: Signal) -> str:
    known = _COMPRESSION.get(signal, {}).get(name)
    if known is not None:
        return known
    return "zstd" if values is None or values > _LZ4_VALUES else "lz4"


def _level(column: Any, signal: Signal) -> int:
    return _LEVEL_OF_LISTS.get(signal, _LEVEL) if pa.types.is_list(column.type) else _LEVEL


def _values(column: Any) -> Any:
    """What is compressed of a column: of lists their elements."""
    return pc.list_flatten(column) if pa.types.is_list(column.type) else column


def _leaf(column: Any) -> str:
    """The path of a column's values in Parquet's schema."""
    return f"{column.name}.list.element" if pa.types.is_list(column.type) else str(column.name)
