"""Any DuckDB result as JSON values, by the conventions of docs/api.md.

Works on whole Arrow columns, because Arrow refuses to turn nanosecond timestamps into Python values one by one.
"""

from __future__ import annotations

import base64
import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from spanglass_server.times import NS_PER_SECOND, format_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

#: The largest integer that JavaScript's numbers hold exactly.
MAX_SAFE_INTEGER = 2**53

_UNIT_NS = {"s": NS_PER_SECOND, "ms": 1_000_000, "us": 1_000, "ns": 1}
#: Timestamps that Python's calendar can write: the years 1 to 9999.
_FIRST_NS, _LAST_NS = -62_135_596_800 * NS_PER_SECOND, 253_402_300_800 * NS_PER_SECOND


def json_rows(table: pa.Table) -> Iterator[list[Any]]:
    """Return the rows of a result, every value plain JSON."""
    if not table.num_columns:
        return iter(())
    columns = [json_column(column) for column in table.columns]
    return (list(row) for row in zip(*columns, strict=True))


def json_column(column: Any) -> list[Any]:
    """Turn one Arrow column (chunked or not) to plain JSON values."""
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    return [value for chunk in chunks for value in _array_values(chunk)]


def json_value(value: Any) -> Any:
    """Turn one Python value to plain JSON: exact integers past 2^53 as text, bytes and non-finite numbers marked."""
    return value if value is None else _BY_TYPE.get(type(value), str)(value)


def _integer(value: int) -> int | str:
    return value if -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER else str(value)


def _float(value: float) -> Any:
    return value if math.isfinite(value) else {"$double": _non_finite(value)}


def _bytes(value: bytes) -> dict[str, str]:
    return {"$bytes": base64.b64encode(value).decode()}


def _list(value: Iterable[Any]) -> list[Any]:
    return [json_value(item) for item in value]


def _dict(value: dict[Any, Any]) -> dict[str, Any]:
    return {str(key): json_value(item) for key, item in value.items()}


def _decimal(value: Decimal) -> Any:
    """Return a number where a number says the same, text otherwise."""
    if value == value.to_integral_value():
        return _integer(int(value))
    nearest = float(value)
    return nearest if Decimal(repr(nearest)) == value else str(value)


def _non_finite(value: float) -> str:
    """Spell it as protobuf's JSON mapping does."""
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


_BY_TYPE: dict[type, Callable[[Any], Any]] = {
    bool: bool,
    str: str,
    int: _integer,
    float: _float,
    Decimal: _decimal,
    bytes: _bytes,
    list: _list,
    tuple: _list,
    dict: _dict,
}


def _array_values(array: Any) -> list[Any]:
    """Turn one Arrow array to JSON values; nested arrays are walked by their children."""
    kind = array.type
    for fits, values in _BY_ARROW_TYPE:
        if fits(kind):
            return values(array)
    return [json_value(value) for value in array.to_pylist()]


def _timestamps(array: Any) -> list[Any]:
    return [_time(value, array.type.unit) for value in array.cast(pa.int64()).to_pylist()]


def _maps(array: Any) -> list[Any]:
    keys, items = (_array_values(_own(array, flat)) for flat in (array.keys, array.items))
    return _split(array, [*zip(keys, items, strict=True)], _mapping)


def _lists(array: Any) -> list[Any]:
    return _split(array, _array_values(_own(array, array.values)), list)


def _fixed_lists(array: Any) -> list[Any]:
    return _array_values(array.cast(pa.list_(array.type.value_type)))


def _unions(array: Any) -> list[Any]:
    return [json_value(value.as_py()) for value in array]


def _encoded(array: Any) -> list[Any]:
    return _array_values(array.dictionary_decode())


def _own(array: Any, flat: Any) -> Any:
    """The flat values of a list or map array alone: a slice has those of all that it was cut from."""
    first, last = array.offsets[0].as_py(), array.offsets[-1].as_py()
    return flat.slice(first, last - first)


def _split(array: Any, values: list[Any], make: Any) -> list[Any]:
    """Cut the flat values of a list or map array, its own, at its offsets."""
    offsets = array.offsets.to_pylist()
    first = offsets[0]
    nulls = array.is_null().to_pylist()
    return [None if null else make(values[offsets[i] - first : offsets[i + 1] - first]) for i, null in enumerate(nulls)]


def _mapping(entries: list[tuple[Any, Any]]) -> dict[str, Any]:
    """Make a map whose keys are text, as JSON wants them."""
    return {key if isinstance(key, str) else str(key): value for key, value in entries}


def _structs(array: Any) -> list[Any]:
    names = [array.type.field(index).name for index in range(array.type.num_fields)]
    fields = [_array_values(array.field(index)) for index in range(len(names))]
    nulls = array.is_null().to_pylist()
    return [
        None if null else {name: field[i] for name, field in zip(names, fields, strict=True)}
        for i, null in enumerate(nulls)
    ]


_BY_ARROW_TYPE: tuple[tuple[Callable[[Any], bool], Callable[[Any], list[Any]]], ...] = (
    (pa.types.is_timestamp, _timestamps),
    (pa.types.is_map, _maps),
    (pa.types.is_list, _lists),
    (pa.types.is_large_list, _lists),
    (pa.types.is_fixed_size_list, _fixed_lists),
    (pa.types.is_struct, _structs),
    (pa.types.is_union, _unions),
    (pa.types.is_dictionary, _encoded),
)


def _time(value: int | None, unit: str) -> str | int | None:
    """Write a timestamp as RFC 3339; one outside the calendar stays a number, in its unit."""
    if value is None:
        return None
    time_ns = value * _UNIT_NS[unit]
    return format_time(time_ns) if _FIRST_NS <= time_ns < _LAST_NS else value
